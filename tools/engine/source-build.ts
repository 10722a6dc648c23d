import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, link, mkdir, rename, rm } from "node:fs/promises";
import * as path from "node:path";

import { runCommand } from "./command";
import type { Engine, Report } from "./engine";
import { DYNAMIC_PROVIDER_LAUNCHER, LANGUAGE_HOST, writeLauncher } from "./launchers";
import { withLock } from "./lock";
import { isExecutable } from "./on-path";
import { cacheFolder, ENGINE_MODULE, REPOSITORY } from "./repository";
import { ENGINE_VERSION } from "./version";

const CLI_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

const goVersionTimeoutMs = 120_000;
const buildTimeoutMs = 40 * 60_000;

/**
 * The Pulumi CLI built from `tools/pulumi`, with the stand-in for its language host, which has no
 * source to be had as a module. Built once per version; clones share the binary.
 *
 * @throws when Go is missing or too old, or the build fails
 */
export async function sourceEngine(report: Report): Promise<Engine> {
    const root = path.join(cacheFolder(), `source-v${ENGINE_VERSION}`);
    const binary = path.join(root, "pulumi");
    await mkdir(root, { recursive: true });
    if (!isExecutable(binary)) {
        await withLock(
            `${root}.lock`,
            () => report("engine: another run builds pulumi, waiting for it"),
            async () => {
                if (!isExecutable(binary)) {
                    await build(binary, report);
                }
            },
        );
    }
    return {
        origin: "source",
        version: `v${ENGINE_VERSION}`,
        folder: await folderOfThisClone(root, binary),
    };
}

async function build(binary: string, report: Report): Promise<void> {
    const go = await goVersion();
    report(`engine: building pulumi v${ENGINE_VERSION} with ${go} (once, some minutes)`);
    const started = Date.now();
    const partial = `${binary}.partial-${process.pid}`;
    try {
        await runCommand({
            file: "go",
            args: [
                "build",
                "-trimpath",
                "-tags",
                "osusergo,grpcnotrace",
                "-ldflags",
                `-s -w -X ${VERSION_VARIABLE}=v${ENGINE_VERSION}`,
                "-o",
                partial,
                CLI_PACKAGE,
            ],
            cwd: ENGINE_MODULE,
            env: { CGO_ENABLED: "0", GOWORK: "off" },
            timeoutMs: buildTimeoutMs,
        });
        await chmod(partial, 0o755);
        await rename(partial, binary);
    } finally {
        await rm(partial, { force: true });
    }
    report(`engine: built in ${Math.round((Date.now() - started) / 1000)} s`);
}

/** Asked in the module's folder, where Go itself refuses to be older than the module needs. */
async function goVersion(): Promise<string> {
    try {
        const printed = await runCommand({
            file: "go",
            args: ["env", "GOVERSION"],
            cwd: ENGINE_MODULE,
            env: { GOWORK: "off" },
            timeoutMs: goVersionTimeoutMs,
        });
        return printed.trim();
    } catch (error) {
        throw new Error(
            `no Pulumi CLI is on PATH, the official release cannot be downloaded, and it cannot be built: ` +
                `Go 1.26 or newer is needed for that. Install pulumi or Go. ` +
                (error instanceof Error ? error.message : String(error)),
            { cause: error },
        );
    }
}

/**
 * The engine takes plugins from beside its own binary, and the stand-ins belong to one clone; so
 * each clone has a folder with a hard link to the binary.
 */
async function folderOfThisClone(root: string, binary: string): Promise<string> {
    const clone = createHash("sha256").update(REPOSITORY).digest("hex").slice(0, 12);
    const folder = path.join(root, `clone-${clone}`);
    await mkdir(folder, { recursive: true });
    const linked = path.join(folder, "pulumi");
    if (!existsSync(linked)) {
        const partial = `${linked}.partial-${process.pid}`;
        await rm(partial, { force: true });
        await link(binary, partial);
        await rename(partial, linked);
    }
    await writeLauncher(path.join(folder, LANGUAGE_HOST.file), LANGUAGE_HOST.text());
    await writeLauncher(
        path.join(folder, DYNAMIC_PROVIDER_LAUNCHER.file),
        DYNAMIC_PROVIDER_LAUNCHER.text(),
    );
    return folder;
}
