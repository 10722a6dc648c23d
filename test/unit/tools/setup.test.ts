import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
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

describe("Node.js version", () => {
    const check = (version: string): unknown =>
        evaluate("node-version.mjs", `m.checkNodeVersion(${JSON.stringify(version)}) ?? "fits"`);

    test.each(["20.19.0", "20.20.2", "22.12.0"])("%s fits", (version) => {
        expect(check(version)).toBe("fits");
    });
    test.each(["20.18.1", "18.20.8"])("%s is too old", (version) => {
        expect(() => check(version)).toThrow(/20\.19\.0 or newer is needed/);
    });
});

test("every path in the tables of turns and stories is there", () => {
    const paths = evaluate("turns.mjs", "[...m.ENGINE_TURNS.flat(), ...m.STORIES]") as string[];
    const more = evaluate("turns.mjs", "Object.keys(m.MORE_PROGRAMS)") as string[];
    const root = path.resolve(SETUP, "../..");
    const files = readdirSync(path.join(root, "test"), { recursive: true, encoding: "utf8" });
    const isThere = (start: string) => files.some((file) => `test/${file}`.startsWith(start));
    expect([...paths, ...more].filter((one) => !isThere(one))).toEqual([]);
});
