import { existsSync, lstatSync } from "node:fs";
import { cp, mkdir, readdir, symlink } from "node:fs/promises";
import * as path from "node:path";

import { runInside } from "./rootfs";

/** Folder of shared libraries, from the root. */
export const LIBRARIES = `usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;

const PROGRAM_FOLDERS = ["usr/bin", "usr/sbin"] as const;

/** What a container image takes out of a Debian root file system. */
export interface DebianFiles {
    /** Names of programs, or their paths from the root where they lie elsewhere. */
    readonly programs: readonly string[];
    /** Folders of plug-ins that programs load, from the root. */
    readonly plugins?: readonly string[];
    /** Other files, from the root. */
    readonly files?: readonly string[];
}

/**
 * Copies programs with the libraries they load to the same paths below another root, each file once:
 * what is a link stays one.
 *
 * @throws when one of them is missing
 */
export async function copyDebianFiles(
    root: string,
    { programs, plugins = [], files = [] }: DebianFiles,
    target: string,
): Promise<void> {
    const loaded: string[] = [];
    for (const folder of plugins) {
        const names = await readdir(path.join(root, folder));
        loaded.push(...names.map((name) => `/${folder}/${name}`));
    }
    const binaries = [...programs.map((program) => findProgram(root, program)), ...loaded];
    const wanted = [
        ...binaries,
        ...(await librariesOf(root, binaries)),
        ...files.map((file) => `/${file}`),
    ];
    const unique = [...new Set(wanted)];
    const real = await realPaths(root, unique);
    for (const [index, name] of unique.entries()) {
        await place(root, name, real[index]!, target);
    }
}

function findProgram(root: string, program: string): string {
    const places = program.includes("/")
        ? [program]
        : PROGRAM_FOLDERS.map((folder) => `${folder}/${program}`);
    const found = places.find((place) => isThere(path.join(root, place)));
    if (found === undefined) {
        throw new Error(`${root} has no program ${program}; does a package of the image miss?`);
    }
    return `/${found}`;
}

/** Also true for an absolute link, which leads nowhere outside the root. */
function isThere(file: string): boolean {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** As the dynamic linker finds them, directly and through other libraries. */
async function librariesOf(root: string, binaries: readonly string[]): Promise<string[]> {
    if (binaries.length === 0) {
        return [];
    }
    const printed = await runInside(root, "ldd", ...binaries);
    return [...printed.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm)].map((match) =>
        withoutFolderLinks(path.normalize(match[1]!)),
    );
}

/** `/lib` is a link to `/usr/lib`, and so on. */
function withoutFolderLinks(file: string): string {
    return file.replace(/^\/(?=(?:bin|sbin|lib|lib64)\/)/, "/usr/");
}

async function realPaths(root: string, files: readonly string[]): Promise<string[]> {
    const printed = await runInside(root, "realpath", ...files);
    return printed.trim().split("\n");
}

async function place(root: string, name: string, real: string, target: string): Promise<void> {
    if (!isThere(path.join(target, real))) {
        await mkdir(path.join(target, path.dirname(real)), { recursive: true });
        await cp(path.join(root, real), path.join(target, real), { preserveTimestamps: true });
    }
    if (name !== real && !existsSync(path.join(target, name))) {
        await mkdir(path.join(target, path.dirname(name)), { recursive: true });
        await symlink(path.relative(path.dirname(name), real), path.join(target, name));
    }
}
