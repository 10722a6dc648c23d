import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";

import type { Download } from "../../../nodes/downloads";
import type { Program } from "../../../nodes/program";
import { programs } from "../../../nodes/programs";
import { containerImages, installItems } from "../../../nodes/role-files";
import { clusterSettings } from "../../../nodes/values/settings";
import { defaultVersions, type Versions } from "../../../nodes/versions";
import { aptArchive, parseLines, parseStanzas } from "../../../tools/binaries/apt-source";
import { type GoTool, goTools, pause, toolOf } from "../../../tools/binaries/catalog";
import { ciliumImages, clusterImages, formerImages } from "../../../tools/binaries/images";
import { machineImage } from "../../../tools/binaries/machine-image";
import { offers } from "../../../tools/binaries/mirror";
import { writeLayout } from "../../../tools/binaries/oci-layout";
import {
    digestOf,
    ensurePart,
    type Part,
    removeUnusedParts,
    storeFolder,
} from "../../../tools/binaries/store";
import { REPOSITORY } from "../../../tools/engine/repository";

const environment = { ...process.env };
let folder: string;

beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "binaries-test-"));
    process.env["XDG_CACHE_HOME"] = path.join(folder, "cache");
});
afterEach(async () => {
    process.env = { ...environment };
    await rm(folder, { recursive: true, force: true });
});

const tools: readonly GoTool[] = goTools;

const downloads: Download[] = programs.flatMap(({ downloads: list = [] }: Program) => list);

describe("catalog", () => {
    test.each(tools)("$name is pinned at its version", ({ name, version, modules }) => {
        const file = path.join(REPOSITORY, "tools", "binaries", name, "go.mod");
        const pins = readFileSync(file, "utf8").split("\n");
        for (const module of modules) {
            const found = pins.map((line) => line.trim()).filter((line) => line.startsWith(module));
            expect(found).toContainEqual(
                expect.stringMatching(`^${module} ${version.replaceAll(".", "\\.")}( |$)`),
            );
        }
    });
    test.each(tools)("every program of $name is pinned as a tool", ({ name, programs }) => {
        const file = path.join(REPOSITORY, "tools", "binaries", name, "go.mod");
        const pins = readFileSync(file, "utf8").split("\n");
        for (const source of Object.values(programs)) {
            expect(pins.map((line) => line.replace("tool ", "").trim())).toContain(source);
        }
    });
    test("has everything that the product installs, at the product's versions", () => {
        const products = [...tools, pause].filter(({ product }) => product !== undefined);
        const versions = products.map(({ product, version }) => [product, version]);
        expect(Object.fromEntries(versions) as unknown as Versions).toEqual(defaultVersions);
    });
    test("names a program once", () => {
        const programs = tools.flatMap((tool) => Object.keys(tool.programs));
        expect(new Set(programs).size).toBe(programs.length);
    });
    test("says which tools there are", () => {
        expect(toolOf("kubelet")).toBe("kubernetes");
        expect(() => toolOf("toString")).toThrow(
            /kubernetes, kubernetes-former, etcd.*has a program toString/,
        );
    });
});

describe("images", () => {
    const images = [...clusterImages, ...ciliumImages, ...formerImages];

    test("have programs of the catalog, under names of their own", () => {
        const programs = images.flatMap((image) => Object.values(image.programs));
        expect(() => programs.map(toolOf)).not.toThrow();
        expect(new Set(images.map(({ name }) => name)).size).toBe(images.length);
    });
    test("are those that nodes run", () => {
        const wanted = containerImages("control-plane", clusterSettings());
        expect(images.map(({ name }) => name)).toEqual(expect.arrayContaining(wanted));
    });
    test("have a layer that the same files always give", async () => {
        const layouts = ["first", "second"].map((name) => path.join(folder, name));
        for (const layout of layouts) {
            const root = path.join(folder, `${path.basename(layout)}-root`);
            await mkdir(root);
            await writeFile(path.join(root, "a"), "content");
            await writeLayout(root, { entrypoint: ["/a"] }, layout);
        }
        const [first, second] = await Promise.all(
            layouts.map((layout) => readFile(path.join(layout, "index.json"), "utf8")),
        );
        expect(first).toMatch(/"digest":"sha256:[0-9a-f]{64}"/);
        expect(second).toBe(first);
    });
});

describe("mirror", () => {
    test("offers each of the product's downloads and nothing else", () => {
        const installed = installItems("control-plane", defaultVersions).map(({ name }) => name);
        expect(installed.sort()).toEqual(downloads.map(({ name }) => name).sort());
        expect(Object.keys(offers).sort()).toEqual(downloads.map(({ name }) => name).sort());
    });
    test.each(downloads.filter(({ archive }) => archive !== undefined))(
        "the archive of $name holds what is taken out of it",
        ({ name, archive, proof }) => {
            const { content } = offers[name]!;
            const places = Object.keys(content);
            expect(typeof content).toBe("object");
            expect(places).toEqual(expect.arrayContaining([...archive!.members]));
            const taken = archive!.members.length === 0 ? places : archive!.members;
            expect(
                taken.map((place) => place.split("/").slice(archive!.strip).join("/")),
            ).toContain(path.basename(proof));
        },
    );
});

describe("machine image", () => {
    test("has what the product's installer would add", () => {
        const installer = path.join(
            REPOSITORY,
            "templates/installer/exk8s-install-control-plane-prereqs.sh.njk",
        );
        const list = /^PACKAGES=\((.*)\)$/m.exec(readFileSync(installer, "utf8"))![1]!;
        expect(machineImage.packages).toEqual(expect.arrayContaining(list.split(" ")));
    });
});

describe("apt sources", () => {
    test("in stanzas", () => {
        const text = [
            "# comment: Types: no",
            "Types: deb deb-src",
            "URIs: http://one.example/debian",
            "  http://two.example/debian",
            "Suites: bookworm bookworm-updates",
            "# comment in the middle",
            "Components: main",
            "",
            "Types: deb",
            "Enabled: no",
            "URIs: http://off.example",
            "Suites: bookworm",
            "Components: main",
            "",
            "Types: deb-src",
            "URIs: http://source.example",
            "Suites: bookworm",
        ].join("\n");
        const offered = { suites: ["bookworm", "bookworm-updates"], components: ["main"] };
        expect(parseStanzas(text)).toEqual([
            { uri: "http://one.example/debian", ...offered },
            { uri: "http://two.example/debian", ...offered },
        ]);
    });
    test("in lines", () => {
        const text = [
            "# deb http://off.example bookworm main",
            "deb-src http://source.example bookworm main",
            "deb [arch=amd64 signed-by=/key] http://one.example/debian bookworm main contrib # note",
        ].join("\n");
        const offered = { suites: ["bookworm"], components: ["main", "contrib"] };
        expect(parseLines(text)).toEqual([{ uri: "http://one.example/debian", ...offered }]);
    });
    test("the first that offers the release is taken", async () => {
        await mkdir(path.join(folder, "sources.list.d"));
        const write = (name: string, text: string): Promise<void> =>
            writeFile(path.join(folder, "sources.list.d", name), text);
        await write("a.list", "deb http://tools.example stable main\n");
        await write("b.list", "deb http://debian.example bookworm main\n");
        expect(await aptArchive("bookworm", folder)).toBe("http://debian.example");
        await expect(aptArchive("trixie", folder)).rejects.toThrow(/offers Debian trixie/);
    });
});

describe("store", () => {
    const part = (make: Part["make"]): Part => ({ name: "part", digest: digestOf("x"), make });
    const writeOne = (target: string): Promise<void> => writeFile(path.join(target, "file"), "1");

    test("runs at the same time make a part once", async () => {
        const make = jest.fn(writeOne);
        const report = jest.fn();
        const [first, second] = await Promise.all([
            ensurePart(part(make), report),
            ensurePart(part(make), report),
        ]);
        expect(make).toHaveBeenCalledTimes(1);
        expect(second).toBe(first);
        expect(await readdir(first)).toEqual(["file"]);
        expect(report).toHaveBeenCalledWith(expect.stringMatching(/made part in \d+ s/));
    });
    test("a failure leaves nothing, also what a killed run has left goes", async () => {
        const failing = part(async (target) => {
            await writeOne(target);
            throw new Error("no room");
        });
        await mkdir(path.join(storeFolder(), `part-${failing.digest}.partial-1`), {
            recursive: true,
        });
        await expect(ensurePart(failing, jest.fn())).rejects.toThrow("no room");
        expect(await readdir(storeFolder())).toEqual([]);
        expect(await readdir(await ensurePart(part(writeOne), jest.fn()))).toEqual(["file"]);
    });
    test("what was not used for a month goes", async () => {
        const made = await ensurePart(part(writeOne), jest.fn());
        const old = new Date(Date.now() - 31 * 24 * 3_600_000);
        await utimes(made, old, old);
        await ensurePart(part(writeOne), jest.fn());
        await removeUnusedParts(jest.fn());
        expect(await readdir(storeFolder())).toHaveLength(1);
        await utimes(made, old, old);
        const report = jest.fn();
        await removeUnusedParts(report);
        expect(await readdir(storeFolder())).toEqual([]);
        expect(report).toHaveBeenCalledWith(expect.stringMatching(/removing part-/));
    });
});
