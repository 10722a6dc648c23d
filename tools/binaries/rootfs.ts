import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { release } from "node:os";
import * as path from "node:path";

import { runCommand } from "../engine/command";
import type { Report } from "../engine/engine";
import { aptArchive } from "./apt-source";
import { machineImage } from "./machine-image";
import { digestOf, ensurePart, sourceOf } from "./store";

const debootstrapTimeoutMs = 15 * 60_000;
const chrootTimeoutMs = 10 * 60_000;

/**
 * The root file system that nodes boot from: each has it as the lower, read-only part of its disk.
 *
 * @returns its folder
 */
export function ensureRootfs(report: Report): Promise<string> {
    return ensurePart(
        {
            name: `rootfs-${machineImage.suite}`,
            digest: digestOf(machineImage, release(), sourceOf("rootfs")),
            make: makeRootfs,
        },
        report,
    );
}

/** Runs a program of a root file system inside it. */
export function runInside(root: string, file: string, ...args: string[]): Promise<string> {
    return runCommand({
        file: "chroot",
        args: [root, file, ...args],
        env: {
            PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
            DEBIAN_FRONTEND: "noninteractive",
            LC_ALL: "C.UTF-8",
        },
        timeoutMs: chrootTimeoutMs,
    });
}

async function makeRootfs(root: string): Promise<void> {
    await bootstrap(root);
    await placeModuleIndex(root);
    await placeUnits(root);
    for (const name of machineImage.removed) {
        await rm(path.join(root, name), { recursive: true, force: true });
    }
    for (const name of machineImage.emptied) {
        await rm(path.join(root, name), { recursive: true, force: true });
        await mkdir(path.join(root, name));
    }
}

async function bootstrap(root: string): Promise<void> {
    const { suite, packages } = machineImage;
    await runCommand({
        // In a mount namespace of its own: what debootstrap mounts inside goes when it is killed.
        file: "unshare",
        args: [
            ...["--mount", "--propagation", "private", "nice", "debootstrap"],
            ...["--variant=minbase", `--include=${packages.join(",")}`],
            ...[suite, root, await aptArchive(suite)],
        ],
        timeoutMs: debootstrapTimeoutMs,
    });
    await chmod(root, 0o755);
}

async function placeModuleIndex(root: string): Promise<void> {
    const folder = path.join(root, "lib", "modules", release());
    await mkdir(folder, { recursive: true });
    const lines = machineImage.kernelModules.map((line) => `${line}\n`);
    await writeFile(path.join(folder, "modules.builtin"), lines.join(""));
    for (const name of ["modules.order", "modules.builtin.modinfo"]) {
        await writeFile(path.join(folder, name), "");
    }
    await runInside(root, "depmod", release());
}

async function placeUnits(root: string): Promise<void> {
    const { disabled, masked, units } = machineImage;
    for (const [name, text] of Object.entries(units)) {
        await writeFile(path.join(root, "etc/systemd/system", name), text);
    }
    await runInside(root, "systemctl", "disable", ...disabled);
    await runInside(root, "systemctl", "mask", ...Object.values(masked).flat());
    await runInside(root, "systemctl", "enable", ...Object.keys(units));
}
