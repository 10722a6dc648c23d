import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { installedPackages } from "../../../tools/stand-ins/language-host/packages";

let root: string;

function install(folder: string, manifest: Record<string, unknown>): void {
    mkdirSync(path.join(root, folder), { recursive: true });
    writeFileSync(path.join(root, folder, "package.json"), JSON.stringify(manifest));
}

beforeAll(() => {
    root = mkdtempSync(path.join(tmpdir(), "packages-test-"));
    install("program", {
        name: "program",
        dependencies: { "@x/a": "*", gone: "*" },
        devDependencies: { tool: "*" },
    });
    install("node_modules/@x/a", {
        name: "@x/a",
        version: "1.0.0",
        dependencies: { b: "*" },
        pulumi: { resource: true, name: "a", version: "1.2.3" },
    });
    // The nested copy of b wins over the hoisted one, and its dependency on a is a cycle.
    install("node_modules/b", { name: "b", version: "1.0.0" });
    install("node_modules/@x/a/node_modules/b", {
        name: "b",
        version: "2.0.0",
        dependencies: { "@x/a": "*" },
    });
    install("program/node_modules/tool", {
        name: "tool",
        version: "3.0.0",
        devDependencies: { b: "*" },
    });
    mkdirSync(path.join(root, "program", "src"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const found = (folder: string, transitive: boolean): string[] =>
    installedPackages(path.join(root, folder), transitive).map((p) => `${p.name}@${p.version}`);

test("direct dependencies that are installed", () => {
    expect(found("program", false)).toEqual(["@x/a@1.0.0", "tool@3.0.0"]);
});
test("dependencies of dependencies, as Node.js resolves them", () => {
    expect(found("program", true)).toEqual(["@x/a@1.0.0", "tool@3.0.0", "b@2.0.0"]);
});
test("the dependencies of a linked package are those beside the place it is linked to", () => {
    install("elsewhere/linked", {
        name: "linked",
        version: "1.0.0",
        dependencies: { beside: "*" },
    });
    install("elsewhere/node_modules/beside", { name: "beside", version: "1.0.0" });
    install("linking", { name: "linking", dependencies: { linked: "*" } });
    mkdirSync(path.join(root, "linking", "node_modules"));
    symlinkSync(
        path.join(root, "elsewhere", "linked"),
        path.join(root, "linking", "node_modules", "linked"),
    );
    expect(found("linking", true)).toEqual(["linked@1.0.0", "beside@1.0.0"]);
});
test("from a folder below the manifest", () => {
    expect(found("program/src", false)).toEqual(["@x/a@1.0.0", "tool@3.0.0"]);
});
test("the marks of a provider's SDK are kept", () => {
    expect(installedPackages(path.join(root, "program"), false)[0]?.pulumi).toEqual({
        resource: true,
        name: "a",
        version: "1.2.3",
    });
});
