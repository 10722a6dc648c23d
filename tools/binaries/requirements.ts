import { existsSync } from "node:fs";

import { runCommand } from "../engine/command";
import type { Report } from "../engine/engine";

/** Something the machine must have. */
interface Requirement {
    /** What is needed, as the end of "… is needed". */
    readonly what: string;
    isMet(): boolean | Promise<boolean>;
}

const aptTimeoutMs = 5 * 60_000;
const queryTimeoutMs = 30_000;

const onPath = (program: string): boolean =>
    (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(`${folder}/${program}`));

/** What only the user can provide. */
const requirements: readonly Requirement[] = [
    { what: "Linux", isMet: () => process.platform === "linux" },
    { what: "an x86_64 or aarch64 processor", isMet: () => process.arch in ARCHITECTURES },
    {
        what: "root (the machine image has devices and owners)",
        isMet: () => process.getuid?.() === 0,
    },
    { what: "Debian's apt-get", isMet: () => onPath("apt-get") },
    { what: "Go 1.26 or newer", isMet: () => onPath("go") },
    {
        what: "gcc with the C library's static files (package libc6-dev)",
        isMet: () => onPath("gcc"),
    },
    ...["tar", "gzip", "nice", "unshare", "setpriv", "chroot"].map((program) => ({
        what: `the program ${program}`,
        isMet: () => onPath(program),
    })),
];

/** Debian packages that are installed where they are missing. */
const PACKAGES = ["debootstrap", "libseccomp-dev"] as const;

/** Names of this machine's architecture in Kubernetes' and Debian's world, by Node's. */
const ARCHITECTURES = { x64: "amd64", arm64: "arm64" } as const;

/** This machine's architecture, as upstream and Debian name it. */
export function architecture(): "amd64" | "arm64" {
    return ARCHITECTURES[process.arch as keyof typeof ARCHITECTURES];
}

/**
 * Checks what the artifacts are made with, and installs the Debian packages that are missing.
 *
 * @throws when the user must provide something; the message lists all of it
 */
export async function ensureRequirements(report: Report): Promise<void> {
    const unmet: string[] = [];
    for (const requirement of requirements) {
        if (!(await requirement.isMet())) {
            unmet.push(requirement.what);
        }
    }
    if (unmet.length > 0) {
        throw new Error(`real nodes cannot be made here; needed: ${unmet.join("; ")}`);
    }
    await installPackages(PACKAGES, report);
}

/** Installs those Debian packages that are missing. @throws when apt-get does */
export async function installPackages(packages: readonly string[], report: Report): Promise<void> {
    const missing: string[] = [];
    for (const name of packages) {
        if (!(await isInstalled(name))) {
            missing.push(name);
        }
    }
    if (missing.length === 0) {
        return;
    }
    report(`binaries: installing the Debian packages ${missing.join(" and ")} on this machine`);
    const apt = (...args: string[]): Promise<string> =>
        runCommand({
            file: "apt-get",
            args: ["-o", "DPkg::Lock::Timeout=120", "-q", ...args],
            env: { DEBIAN_FRONTEND: "noninteractive" },
            timeoutMs: aptTimeoutMs,
        });
    await apt("update");
    await apt("install", "-y", "--no-install-recommends", ...missing);
}

async function isInstalled(name: string): Promise<boolean> {
    const status = await runCommand({
        file: "dpkg-query",
        args: ["-W", "-f", "${db:Status-Status}", name],
        timeoutMs: queryTimeoutMs,
    }).catch(() => "unknown");
    return status === "installed";
}
