import { mkdir, rename, rm } from "node:fs/promises";
import * as path from "node:path";

import { attemptDaily } from "./attempts";
import { runCommand } from "./command";
import type { Engine, Report } from "./engine";
import { isExecutable } from "./on-path";
import { cacheFolder, REPOSITORY } from "./repository";
import { ENGINE_VERSION } from "./version";

/** Where the SDK's installer starts; asked first, so that a machine without it waits little. */
const INSTALLER_URL = "https://get.pulumi.com/install.sh";

const probeTimeoutMs = 10_000;
const installTimeoutMs = 180_000;

/** The official release in the cache, downloaded when it is not there yet; undefined when it cannot be had. */
export async function officialEngine(report: Report): Promise<Engine | undefined> {
    const root = path.join(cacheFolder(), `official-v${ENGINE_VERSION}`);
    const engine: Engine = {
        origin: "official",
        version: `v${ENGINE_VERSION}`,
        folder: path.join(root, "bin"),
    };
    if (isExecutable(path.join(engine.folder, "pulumi"))) {
        return engine;
    }
    return await attemptDaily("official pulumi release", report, async () => {
        await probe();
        report(`engine: downloading the official pulumi v${ENGINE_VERSION}`);
        await install(root);
        return engine;
    });
}

async function probe(): Promise<void> {
    try {
        const response = await fetch(INSTALLER_URL, {
            signal: AbortSignal.timeout(probeTimeoutMs),
        });
        await response.body?.cancel();
        if (!response.ok) {
            throw new Error(`it answers ${response.status}`);
        }
    } catch (error) {
        const reason = error instanceof Error && error.cause !== undefined ? error.cause : error;
        throw new Error(`${INSTALLER_URL} cannot be reached: ${String(reason)}`, { cause: error });
    }
}

/** In a process of its own, which can be ended, and renamed when complete. */
async function install(root: string): Promise<void> {
    const partial = `${root}.partial-${process.pid}`;
    await mkdir(partial, { recursive: true });
    try {
        await runCommand({
            file: process.execPath,
            args: [
                path.join(REPOSITORY, "tools", "dist", "engine", "official-install.js"),
                partial,
                ENGINE_VERSION,
            ],
            timeoutMs: installTimeoutMs,
        });
        await rm(root, { recursive: true, force: true });
        await rename(partial, root);
    } finally {
        await rm(partial, { recursive: true, force: true });
    }
}
