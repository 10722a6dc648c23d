import { mkdir, rm, symlink, unlink } from "node:fs/promises";
import { homedir } from "node:os";
import * as path from "node:path";

import { attemptDaily } from "./attempts";
import { runCommand } from "./command";
import type { Engine, Report } from "./engine";
import { type Launcher, standIn, writeLauncher } from "./launchers";
import { isExecutable } from "./on-path";
import { cacheFolder } from "./repository";
import { COMMAND_PLUGIN_VERSION, TLS_PLUGIN_VERSION } from "./version";

const installTimeoutMs = 90_000;

/** A resource plugin that programs of this package need. */
export interface Plugin {
    readonly name: string;
    /** That of the SDK which the package depends on. */
    readonly version: string;
    /** What takes its place where it cannot be had. */
    readonly launcher: Launcher;
}

const plugin = (name: string, version: string): Plugin => ({
    name,
    version,
    launcher: standIn(`pulumi-resource-${name}`, name),
});

/** The engine asks for all of them at the start of any program, whether it uses them or not. */
export const PLUGINS: readonly Plugin[] = [
    plugin("tls", TLS_PLUGIN_VERSION),
    plugin("command", COMMAND_PLUGIN_VERSION),
];

/** Where a plugin is: the folder of the official one; undefined where the stand-in takes its place. */
export interface PlacedPlugin extends Plugin {
    readonly official: string | undefined;
}

/** Finds the official plugins, or installs them into the cache. */
export async function findPlugins(engine: Engine, report: Report): Promise<PlacedPlugin[]> {
    const placed: PlacedPlugin[] = [];
    for (const one of PLUGINS) {
        placed.push({ ...one, official: await officialPlugin(one, engine, report) });
    }
    return placed;
}

/** Folder of a plugin below a PULUMI_HOME. */
const folderOf = ({ name, version }: Plugin): string =>
    path.join("plugins", `resource-${name}-v${version}`);

/**
 * The folder of the official plugin: the user's own, or one installed into the cache. Undefined when it
 * cannot be had. A source build does not ask: where its release cannot be downloaded, the plugin cannot
 * either.
 */
async function officialPlugin(
    one: Plugin,
    engine: Engine,
    report: Report,
): Promise<string | undefined> {
    if (engine.origin === "source") {
        return undefined;
    }
    const { name, version, launcher } = one;
    const cached = path.join(cacheFolder(), "home");
    const homes = [process.env["PULUMI_HOME"] ?? path.join(homedir(), ".pulumi"), cached];
    const present = homes
        .map((home) => path.join(home, folderOf(one)))
        .find((folder) => isExecutable(path.join(folder, launcher.file)));
    return (
        present ??
        (await attemptDaily(`official ${name} plugin`, report, async () => {
            report(`engine: downloading the official ${name} plugin v${version}`);
            await runCommand({
                file: path.join(engine.folder, "pulumi"),
                args: ["plugin", "install", "resource", name, `v${version}`],
                env: { PULUMI_HOME: cached, PULUMI_SKIP_UPDATE_CHECK: "1" },
                timeoutMs: installTimeoutMs,
            });
            return path.join(cached, folderOf(one));
        }))
    );
}

/** Puts a plugin into a PULUMI_HOME: a link to the official one, else the stand-in. */
export async function placePlugin(home: string, one: PlacedPlugin): Promise<void> {
    const { official, launcher } = one;
    const folder = path.join(home, folderOf(one));
    if (official === undefined) {
        // An earlier link to the official plugin must not be written through.
        await unlink(folder).catch(() => undefined);
        await writeLauncher(path.join(folder, launcher.file), launcher.text());
    } else if (path.resolve(official) !== path.resolve(folder)) {
        await mkdir(path.dirname(folder), { recursive: true });
        await rm(folder, { recursive: true, force: true });
        await symlink(official, folder);
    }
}
