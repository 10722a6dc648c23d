import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { REPOSITORY } from "../../tools/engine/repository";
import {
    packAll,
    type PublicPackage,
    publicPackages,
    type Tarball,
} from "../../tools/packages/pack";
import { Computer, folderIn } from "./support/computer";

// What lies in the packages that are published, and what their package.json says of it.

interface Expected {
    /** Where the sources of `dist` lie. */
    readonly sources: string;
    /** What is there beside compiled code, its types and the documents of every package. */
    readonly others: RegExp;
    /** Most kilobytes, packed and unpacked. */
    readonly packed: number;
    readonly unpacked: number;
}

const packages: Record<PublicPackage, Expected> = {
    "excloud-k8s": {
        sources: ".",
        others: /^dist\/templates\/([\w-]+\/)?[\w.-]+\.njk$/,
        packed: 200,
        unpacked: 800,
    },
    "excloud-k8s-bootstrap": {
        sources: "bootstrap-server/src",
        others: /^(worker\/pglite\.js|page\/[\w.-]+|excloud-k8s-bootstrap\.service)$/,
        packed: 140,
        unpacked: 490,
    },
    "excloud-local": {
        sources: "local-cloud/src",
        others: /^dist\/real\/boot-node\.sh$/,
        packed: 120,
        unpacked: 420,
    },
};
const documents = ["LICENSE", "README.md", "package.json"];

const root = mkdtempSync(join(tmpdir(), "consumer-"));
let tarballs: Record<PublicPackage, Tarball>;
let computer: Computer;

beforeAll(async () => {
    tarballs = await packAll(folderIn(root, "tarballs"));
    const empty = await Computer.empty(join(root, "home"));
    computer = empty.with({}, [join(REPOSITORY, "node_modules/.bin")]);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.each(Object.entries(packages) as [PublicPackage, Expected][])("%s", (name, expected) => {
    const { sources, others, packed, unpacked } = expected;
    const read = (path: string) =>
        readFileSync(join(REPOSITORY, publicPackages[name], path), "utf8");

    test("holds its documents, compiled code with its types, and nothing else", () => {
        const { paths } = tarballs[name];
        expect(paths).toEqual(expect.arrayContaining(documents));
        const unexpected = paths.filter(
            (path) =>
                !documents.includes(path) &&
                !others.test(path) &&
                !/^dist\/[\w/-]+\.(js|d\.ts)$/.test(path),
        );
        expect(unexpected).toEqual([]);
        expect(paths.some((path) => others.test(path))).toBe(true);
    });

    test("holds no code whose source is gone, and names no source map", () => {
        const compiled = tarballs[name].paths.filter((path) => /^dist\/.*\.js$/.test(path));
        expect(compiled.length).toBeGreaterThan(20);
        const withoutSource = compiled.filter((path) => {
            const source = path.replace(/^dist\//, "").replace(/\.js$/, ".ts");
            // What the packages agree on is compiled into each of them.
            const root = source.startsWith("contract/") ? "." : sources;
            return !existsSync(join(REPOSITORY, root, source));
        });
        expect(withoutSource).toEqual([]);
        expect(compiled.filter((path) => read(path).includes("sourceMappingURL"))).toEqual([]);
    });

    test("is small", () => {
        expect(tarballs[name].size).toBeLessThan(packed * 1000);
        expect(tarballs[name].unpackedSize).toBeLessThan(unpacked * 1000);
    });

    test("has the licence of the repository", () => {
        expect(read("LICENSE")).toBe(readFileSync(join(REPOSITORY, "LICENSE"), "utf8"));
        expect(JSON.parse(read("package.json"))).toMatchObject({ license: "Apache-2.0" });
    });

    test("depends on nothing that only this repository has", () => {
        const { dependencies = {}, peerDependencies = {} } = JSON.parse(
            read("package.json"),
        ) as Record<string, Record<string, string>>;
        const ranges = Object.values({ ...dependencies, ...peerDependencies });
        expect(ranges.filter((range) => !/^[\^~]?\d+\.\d+\.\d+$/.test(range))).toEqual([]);
    });

    test("publint finds nothing", async () => {
        await computer.run(root, "publint", "run", tarballs[name].file, "--strict");
    });

    test("TypeScript finds its types however it looks for modules", async () => {
        await computer.run(root, "attw", tarballs[name].file, "--no-color");
    });
});
