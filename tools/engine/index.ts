import { mkdir } from "node:fs/promises";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import type { Engine, Report } from "./engine";
import { LANGUAGE_HOST, TLS_PLUGIN_LAUNCHER } from "./launchers";
import { officialEngine } from "./official";
import { engineOnPath } from "./on-path";
import { sourceEngine } from "./source-build";
import { officialTlsPlugin, placeTlsPlugin } from "./tls-plugin";
import { TLS_PLUGIN_VERSION } from "./version";

export type { Engine, Report } from "./engine";

/** What a stack needs beside the engine. */
export interface EngineOptions {
    /** PULUMI_HOME: a folder that may be new; it gets the tls plugin. */
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
    /** Folder of the official tls plugin; undefined where the stand-in takes its place. */
    readonly tlsPlugin: string | undefined;
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
    const tlsPlugin = await officialTlsPlugin(engine, report);
    return {
        ...engine,
        tlsPlugin,
        standIns: [
            ...(engine.origin === "source" ? [`${LANGUAGE_HOST.file} (stand-in)`] : []),
            ...(tlsPlugin === undefined
                ? [`${TLS_PLUGIN_LAUNCHER.file} v${TLS_PLUGIN_VERSION} (stand-in)`]
                : []),
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
    await placeTlsPlugin(options.home, engine.tlsPlugin);
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
