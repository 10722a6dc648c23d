import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How to run a container registry. */
export interface RegistryOptions {
    /** Program of the reference registry, `registry` of the project distribution. */
    readonly program: string;
    /** Folder with its images. */
    readonly storage: string;
    readonly isReadOnly: boolean;
    readonly address: string;
    readonly port: number;
    /** Gets its configuration and its log. */
    readonly dir: string;
    /** Called when it ends without having been asked to. */
    onExit?(reason: string): void;
}

/** A running registry. */
export interface Registry {
    /** `http://address:port`. */
    readonly url: string;
    /** Ends it, and waits until it has ended. */
    close(): Promise<void>;
}

const startTimeoutMs = 20_000;
const pollMs = 30;

/**
 * Starts a registry over http and waits until it answers. It ends with this process, however that ends.
 *
 * @throws when it does not start; the message has the end of its log
 */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
    const configuration = join(options.dir, "registry.json");
    const logFile = join(options.dir, "registry.log");
    writeFileSync(configuration, JSON.stringify(registryConfiguration(options), null, 4));
    const log = openSync(logFile, "a", 0o600);
    const child = spawn(
        "setpriv",
        ["--pdeathsig", "KILL", options.program, "serve", configuration],
        {
            // Variables named REGISTRY_* would change its configuration.
            env: { PATH: process.env["PATH"], OTEL_TRACES_EXPORTER: "none" },
            stdio: ["ignore", log, log],
        },
    );
    closeSync(log);
    const failed = once(child, "error").then(([error]) => error as Error);
    const url = `http://${options.address}:${options.port}`;
    if (!(await Promise.race([answers(url, child), failed.then(() => false)]))) {
        await end(child);
        const tail = readFileSync(logFile, "utf8").split("\n").slice(-10).join("\n");
        throw new Error(`the registry did not start at ${url}; the end of ${logFile}:\n${tail}`);
    }
    let isClosing = false;
    child.once("exit", (code, signal) => {
        if (!isClosing) {
            options.onExit?.(`${code === null ? signal : `exit code ${code}`}, see ${logFile}`);
        }
    });
    return {
        url,
        close() {
            isClosing = true;
            return end(child);
        },
    };
}

/** JSON, which the registry reads as YAML. */
function registryConfiguration({ address, port, storage, isReadOnly }: RegistryOptions): unknown {
    return {
        version: "0.1",
        log: { level: "warn", accesslog: { disabled: true } },
        storage: {
            filesystem: { rootdirectory: storage },
            maintenance: {
                readonly: { enabled: isReadOnly },
                uploadpurging: { enabled: false },
            },
        },
        http: { addr: `${address}:${port}` },
    };
}

async function answers(url: string, child: ChildProcess): Promise<boolean> {
    for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline;) {
        if (hasEnded(child)) {
            return false;
        }
        if (
            await fetch(`${url}/v2/`).then(
                (response) => response.ok,
                () => false,
            )
        ) {
            // Another process may hold the port and answer while ours is still failing.
            await sleep(pollMs);
            return !hasEnded(child);
        }
        await sleep(pollMs);
    }
    return false;
}

async function end(child: ChildProcess): Promise<void> {
    if (child.pid !== undefined && !hasEnded(child)) {
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
    }
}

const hasEnded = (child: ChildProcess): boolean =>
    child.exitCode !== null || child.signalCode !== null;
