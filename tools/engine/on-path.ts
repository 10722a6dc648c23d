import { accessSync, constants, realpathSync } from "node:fs";
import * as path from "node:path";

import { runCommand } from "./command";
import type { Engine, Report } from "./engine";
import { cacheFolder } from "./repository";
import { isSupportedEngine, OLDEST_ENGINE } from "./version";

const versionTimeoutMs = 30_000;

/**
 * The Pulumi CLI of this machine: on PATH, of a supported version, its Node.js language host beside
 * it or on PATH. Undefined when there is none; one that cannot be used is reported.
 */
export async function engineOnPath(report: Report): Promise<Engine | undefined> {
    // An engine of ours can be on PATH when a test starts this; it is not the machine's.
    const folders = (process.env["PATH"] ?? "")
        .split(path.delimiter)
        .filter((folder) => folder !== "" && !folder.startsWith(cacheFolder()));
    const found = folders.find((folder) => isExecutable(path.join(folder, "pulumi")));
    if (found === undefined) {
        return undefined;
    }
    const pulumi = realpathSync(path.join(found, "pulumi"));
    const version = await runCommand({
        file: pulumi,
        args: ["version"],
        env: { PULUMI_SKIP_UPDATE_CHECK: "1" },
        timeoutMs: versionTimeoutMs,
    }).then(
        (printed) => printed.trim(),
        () => "of unknown version",
    );
    if (!isSupportedEngine(version)) {
        const oldest = `${OLDEST_ENGINE.major}.${OLDEST_ENGINE.minor}`;
        report(`engine: ${pulumi} is ${version}, not used: v${oldest} or newer is needed`);
        return undefined;
    }
    const hosts = [path.dirname(pulumi), ...folders];
    if (!hosts.some((folder) => isExecutable(path.join(folder, "pulumi-language-nodejs")))) {
        report(`engine: ${pulumi} has no pulumi-language-nodejs beside it or on PATH, not used`);
        return undefined;
    }
    return { origin: "path", version, folder: found };
}

/** True when the file is there and may be executed. */
export function isExecutable(file: string): boolean {
    try {
        accessSync(file, constants.X_OK);
        return true;
    } catch {
        return false;
    }
}
