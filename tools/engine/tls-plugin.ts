import { mkdir, rm, symlink, unlink } from "node:fs/promises";
import { homedir } from "node:os";
import * as path from "node:path";
import { attemptDaily } from "./attempts";
import { runCommand } from "./command";
import type { Engine, Report } from "./engine";
import { TLS_PLUGIN_LAUNCHER, writeLauncher } from "./launchers";
import { isExecutable } from "./on-path";
import { cacheFolder } from "./repository";
import { TLS_PLUGIN_VERSION } from "./version";

const INSTALL_TIMEOUT_MS = 90_000;

/** Folder of the plugin below a PULUMI_HOME. */
const folderOf = (version: string) => path.join("plugins", `resource-tls-v${version}`);

const FOLDER = folderOf(TLS_PLUGIN_VERSION);

/**
 * The folder of the official tls plugin: the user's own, or one installed into the cache. Undefined
 * when it cannot be had. A source build does not ask: where its release cannot be downloaded, the
 * plugin cannot either.
 */
export async function officialTlsPlugin(
    engine: Engine,
    report: Report,
): Promise<string | undefined> {
    if (engine.origin === "source") {
        return undefined;
    }
    const cached = path.join(cacheFolder(), "home");
    const homes = [process.env["PULUMI_HOME"] ?? path.join(homedir(), ".pulumi"), cached];
    const present = homes
        .map((home) => path.join(home, FOLDER))
        .find((folder) => isExecutable(path.join(folder, TLS_PLUGIN_LAUNCHER.file)));
    return (
        present ??
        (await attemptDaily("official tls plugin", report, async () => {
            report(`engine: downloading the official tls plugin v${TLS_PLUGIN_VERSION}`);
            await runCommand({
                file: path.join(engine.folder, "pulumi"),
                args: ["plugin", "install", "resource", "tls", `v${TLS_PLUGIN_VERSION}`],
                env: { PULUMI_HOME: cached, PULUMI_SKIP_UPDATE_CHECK: "1" },
                timeoutMs: INSTALL_TIMEOUT_MS,
            });
            return path.join(cached, FOLDER);
        }))
    );
}

/**
 * Puts the tls plugin into a PULUMI_HOME: a link to the official one, else the stand-in.
 *
 * @param official folder of the official plugin, undefined for the stand-in
 * @param version that a program's `@pulumi/tls` asks for
 */
export async function placeTlsPlugin(
    home: string,
    official: string | undefined,
    version = TLS_PLUGIN_VERSION,
): Promise<void> {
    const folder = path.join(home, folderOf(version));
    if (official === undefined) {
        // An earlier link to the official plugin must not be written through.
        await unlink(folder).catch(() => undefined);
        await writeLauncher(
            path.join(folder, TLS_PLUGIN_LAUNCHER.file),
            TLS_PLUGIN_LAUNCHER.text(),
        );
    } else if (path.resolve(official) !== path.resolve(folder)) {
        await mkdir(path.dirname(folder), { recursive: true });
        await rm(folder, { recursive: true, force: true });
        await symlink(official, folder);
    }
}
