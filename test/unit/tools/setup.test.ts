import { execFileSync } from "node:child_process";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "@jest/globals";

const SETUP = path.resolve(__dirname, "../../../tools/setup");

const REPOSITORY_MODULE = pathToFileURL(path.join(SETUP, "repository.mjs")).href;

/** Evaluates an expression with one of the set-up's modules, as plain Node.js runs them. */
function evaluate(module: string, expression: string): unknown {
    const url = pathToFileURL(path.join(SETUP, module)).href;
    const script = `
        import * as m from ${JSON.stringify(url)};
        import { readJson } from ${JSON.stringify(REPOSITORY_MODULE)};
        console.log(JSON.stringify(${expression}))`;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
    });
    return JSON.parse(output);
}

describe("packages", () => {
    test("missing are those absent or at another version, optional ones apart", () => {
        const wanted = {
            packages: {
                "": { version: "0.1.0" },
                workspace: { version: "0.1.0" },
                "node_modules/workspace": { link: true },
                "node_modules/same": { version: "1.0.0" },
                "node_modules/other": { version: "1.0.0" },
                "node_modules/absent": { version: "1.0.0" },
                "node_modules/platform": { version: "1.0.0", optional: true },
            },
        };
        const installed = {
            packages: {
                "node_modules/workspace": { link: true },
                "node_modules/same": { version: "1.0.0" },
                "node_modules/other": { version: "1.0.1" },
            },
        };
        expect(
            evaluate(
                "packages.mjs",
                `m.missingPackages(${JSON.stringify(wanted)}, ${JSON.stringify(installed)})`,
            ),
        ).toEqual(["node_modules/other", "node_modules/absent"]);
    });
});

describe("lock file", () => {
    test("of this repository has the packages of every platform, as npm ci asks", () => {
        expect(
            evaluate(
                "lock-file.mjs",
                `Object.keys(m.absentOptionalPackages(readJson("package-lock.json")))`,
            ),
        ).toEqual([]);
    });
    test("an absent package comes back for the platform that its name says", () => {
        const optionalDependencies = { "@x/b-linux-arm64-musl": "1.0.0", "b-win32-x64": "2.0.0" };
        const nested = { "c-darwin-arm64": "3.0.0" };
        const lock = {
            packages: {
                "node_modules/a": { dev: true, optionalDependencies },
                "node_modules/a/node_modules/c": { optionalDependencies: nested },
                "node_modules/a/node_modules/c-darwin-arm64": { version: "3.0.0" },
            },
        };
        expect(
            evaluate("lock-file.mjs", `m.absentOptionalPackages(${JSON.stringify(lock)})`),
        ).toEqual({
            "node_modules/@x/b-linux-arm64-musl": {
                version: "1.0.0",
                dev: true,
                optional: true,
                cpu: ["arm64"],
                libc: ["musl"],
                os: ["linux"],
            },
            "node_modules/b-win32-x64": {
                version: "2.0.0",
                dev: true,
                optional: true,
                cpu: ["x64"],
                os: ["win32"],
            },
        });
    });
});

describe("Node.js version", () => {
    const check = (version: string): unknown =>
        evaluate("node-version.mjs", `m.checkNodeVersion(${JSON.stringify(version)}) ?? "fits"`);

    test.each(["20.18.1", "20.19.0", "22.0.0"])("%s fits", (version) => {
        expect(check(version)).toBe("fits");
    });
    test.each(["20.18.0", "18.20.8"])("%s is too old", (version) => {
        expect(() => check(version)).toThrow(/20\.18\.1 or newer is needed/);
    });
});
