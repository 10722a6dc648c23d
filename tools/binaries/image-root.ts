import { chmod, copyFile, cp, mkdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import * as path from "node:path";

import { runCommand } from "../engine/command";
import { binary, moduleFolder } from "./build";
import { copyDebianFiles } from "./debian-files";
import type { Image } from "./images";
import { runInside } from "./rootfs";

const copyTimeoutMs = 5 * 60_000;

const SKELETON = {
    folders: ["etc/ssl/certs", "root", "run", "tmp", "usr/local/bin", "var"],
    /** Debian has one tree of programs and libraries; the old names are links into it. */
    links: {
        bin: "usr/bin",
        sbin: "usr/sbin",
        lib: "usr/lib",
        lib64: "usr/lib64",
        "var/run": "../run",
    },
    linked: ["usr/bin", "usr/sbin", "usr/lib", "usr/lib64"],
    texts: {
        "etc/passwd": [
            "root:x:0:0:root:/root:/bin/sh",
            "user-defined-in-image:x:1000:1000::/:/bin/sh",
            "nobody:x:65534:65534:nobody:/nonexistent:/bin/sh",
            "nonroot:x:65532:65532:nonroot:/:/bin/sh",
        ],
        "etc/group": [
            "root:x:0:",
            "user-defined-in-image:x:1000:",
            "group-defined-in-image:x:50000:user-defined-in-image",
            "nobody:x:65534:",
            "nonroot:x:65532:",
        ],
        "etc/nsswitch.conf": ["hosts: files dns"],
    },
    fromRootfs: ["etc/ssl/certs/ca-certificates.crt"],
} as const;

/**
 * Lays out the files of an image.
 *
 * @param rootfs the machine image
 * @param scratch a folder for what is needed meanwhile, outside `root`
 */
export async function fillImageRoot(
    image: Image,
    rootfs: string,
    root: string,
    scratch: string,
): Promise<void> {
    await mkdir(root, { recursive: true });
    await chmod(root, 0o755);
    if (!image.isBare) {
        await placeSkeleton(root, rootfs);
    }
    for (const [place, program] of Object.entries(image.programs)) {
        await copyProgram(binary(program), path.join(root, place));
    }
    await placeDebianFiles(image, rootfs, root, scratch);
    await placeModuleFiles(image, root);
    for (const [place, target] of Object.entries(image.links ?? {})) {
        await symlink(target, path.join(root, place));
    }
}

async function placeSkeleton(root: string, rootfs: string): Promise<void> {
    for (const folder of [...SKELETON.folders, ...SKELETON.linked]) {
        await mkdir(path.join(root, folder), { recursive: true });
    }
    await chmod(path.join(root, "tmp"), 0o1777);
    for (const [place, target] of Object.entries(SKELETON.links)) {
        await symlink(target, path.join(root, place));
    }
    for (const [place, lines] of Object.entries(SKELETON.texts)) {
        await writeFile(path.join(root, place), `${lines.join("\n")}\n`);
    }
    for (const place of SKELETON.fromRootfs) {
        await copyFile(path.join(rootfs, place), path.join(root, place));
    }
}

async function copyProgram(from: string, to: string): Promise<void> {
    await mkdir(path.dirname(to), { recursive: true });
    await copyFile(from, to);
    await chmod(to, 0o755);
}

async function placeDebianFiles(
    { debian }: Image,
    rootfs: string,
    root: string,
    scratch: string,
): Promise<void> {
    if (debian === undefined) {
        return;
    }
    const { packages = [] } = debian;
    const source = packages.length === 0 ? rootfs : await withPackages(rootfs, packages, scratch);
    await copyDebianFiles(source, debian, root);
}

/** A copy of the machine image with more packages. */
async function withPackages(
    rootfs: string,
    packages: readonly string[],
    scratch: string,
): Promise<string> {
    const copy = path.join(scratch, "debian");
    await runCommand({
        file: "cp",
        args: ["-a", rootfs, copy],
        timeoutMs: copyTimeoutMs,
    });
    await copyFile("/etc/resolv.conf", path.join(copy, "etc/resolv.conf"));
    await runInside(copy, "apt-get", "-q", "update");
    await runInside(copy, "apt-get", "-qy", "install", "--no-install-recommends", ...packages);
    return copy;
}

async function placeModuleFiles({ module }: Image, root: string): Promise<void> {
    if (module === undefined) {
        return;
    }
    const sources = await moduleFolder(module.tool, module.module);
    for (const [place, source] of Object.entries(module.copies)) {
        const target = path.join(root, place);
        await cp(path.join(sources, source), target, { recursive: true });
        // Go's module cache keeps files without write and execute bits.
        if ((await stat(target)).isFile()) {
            await chmod(target, place.endsWith(".sh") ? 0o755 : 0o644);
        }
    }
    for (const place of module.without ?? []) {
        await rm(path.join(root, place), { recursive: true });
    }
}
