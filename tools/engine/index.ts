import { mkdir } from "node:fs/promises";
import * as path from "node:path";
import { fileURLToPath } from "node:url";

import type { Engine, Report } from "./engine";
import { LANGUAGE_HOST } from "./launchers";
import { officialEngine } from "./official";
import { engineOnPath } from "./on-path";
import { findPlugins, type PlacedPlugin, placePlugin } from "./plugins";
import { sourceEngine } from "./source-build";

export type { Engine, Report } from "./engine";

/** What a stack needs beside the engine. */
export interface EngineOptions {
    /** PULUMI_HOME: a folder that may be new; it gets the plugins. */
    readonly home: string;
    /** State backend as a URL. The folder of a `file://` URL is made. */
    readonly backend: string;
    /** Encrypts the secrets of the stack's state. */
    readonly passphrase: string;
}

/** How to start the engine. */
export interface EngineEnvironment {
    /** Absolute path of the `pulumi` command. */
    readonly pulumi: string;
    /** The whole environment of that command. */
    readonly env: NodeJS.ProcessEnv;
    /** Plugins that are stand-ins for official ones, one line each; empty when none is. */
    readonly standIns: string[];
}

/** An engine and the plugins it needs. */
export interface ReadyEngine extends Engine {
    readonly plugins: readonly PlacedPlugin[];
    /** As {@link EngineEnvironment.standIns}. */
    readonly standIns: readonly string[];
}

/**
 * Finds or makes a Pulumi CLI: the one on PATH, else the official release, else a build from source.
 *
 * @param report receives a line for each step that takes time
 * @throws when all three ways fail; the message says what is missing
 */
export async function ensureEngine(report: Report): Promise<ReadyEngine> {
    const engine =
        (await engineOnPath(report)) ??
        (await officialEngine(report)) ??
        (await sourceEngine(report));
    const plugins = await findPlugins(engine, report);
    return {
        ...engine,
        plugins,
        standIns: [
            ...(engine.origin === "source" ? [`${LANGUAGE_HOST.file} (stand-in)`] : []),
            ...plugins
                .filter(({ official }) => official === undefined)
                .map(({ launcher, version }) => `${launcher.file} v${version} (stand-in)`),
        ],
    };
}

/**
 * Everything to run `pulumi` with this repository's engine, or the Automation API with `pulumi` on
 * PATH. Makes what is missing, as {@link ensureEngine}.
 *
 * @throws when there is no engine or the backend is no URL
 */
export async function engineEnvironment(options: EngineOptions): Promise<EngineEnvironment> {
    const report: Report = (line) => process.stderr.write(`${line}\n`);
    const engine = await ensureEngine(report);
    for (const plugin of engine.plugins) {
        await placePlugin(options.home, plugin);
    }
    await makeBackend(options.backend);
    return {
        pulumi: path.join(engine.folder, "pulumi"),
        env: {
            ...process.env,
            PATH: [engine.folder, process.env["PATH"] ?? ""].join(path.delimiter),
            PULUMI_HOME: options.home,
            PULUMI_BACKEND_URL: options.backend,
            PULUMI_CONFIG_PASSPHRASE: options.passphrase,
            PULUMI_SKIP_UPDATE_CHECK: "1",
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "1",
            PULUMI_DISABLE_REGISTRY_RESOLVE: "true",
            PULUMI_NODEJS_TRANSPILE_ONLY: "true",
        },
        standIns: [...engine.standIns],
    };
}

async function makeBackend(backend: string): Promise<void> {
    if (!URL.canParse(backend)) {
        throw new Error(`the backend ${backend} is no URL: a folder is given as file:///folder`);
    }
    if (backend.startsWith("file:")) {
        await mkdir(fileURLToPath(backend), { recursive: true });
    }
}
