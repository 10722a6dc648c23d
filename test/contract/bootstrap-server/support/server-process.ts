import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { RunningServer } from "../../../../bootstrap-server/src/server";
import { type ExcloudStandIn, serverApiKey } from "./excloud-stand-in";
import { Harness } from "./harness";

/** The package of the server: `npm run build` compiles it. */
const ours = join(__dirname, "../../../../bootstrap-server");

const operatorToken = "operator-token-of-the-crashing-server";

/** The server as a process of its own, which may end in any way and start again on its folder. */
export class ServerProcess extends Harness {
    private child!: ChildProcess;
    /** What the process wrote, over all its lives. */
    output = "";
    /** The package whose server the next life is. */
    package = ours;
    private lives = 0;

    constructor(
        excloud: ExcloudStandIn,
        private readonly environment: Record<string, string> = {},
        folder?: string,
    ) {
        super(excloud);
        this.dataDir = folder ?? "";
    }

    override async start(): Promise<this> {
        this.dataDir ||= await mkdtemp(join(tmpdir(), "bootstrap-process-"));
        const readyFile = join(this.dataDir, `ready-${++this.lives}`);
        // One port for all lives, so that clients find the server again.
        const listen = this.server ? new URL(this.server.url).host : "127.0.0.1:0";
        const args = ["serve", "--listen", listen, "--data-dir", this.dataDir];
        const main = join(this.package, "dist/main.js");
        const child = spawn(process.execPath, [main, ...args, "--ready-file", readyFile], {
            env: {
                PATH: process.env["PATH"],
                EXCLOUD_API_KEY: serverApiKey,
                EXCLOUD_IAM_BASE_URL: this.excloud.url,
                EXCLOUD_COMPUTE_BASE_URL: this.excloud.url,
                EXCLOUD_BOOTSTRAP_TOKEN: operatorToken,
                ...this.environment,
            },
        });
        this.child = child;
        for (const stream of [child.stdout, child.stderr]) {
            stream.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
        }
        for (;;) {
            const text = await readFile(readyFile, "utf8").catch(() => undefined);
            if (text !== undefined) {
                const { url, caFile } = JSON.parse(text) as { url: string; caFile: string };
                const caPem = await readFile(caFile, "utf8");
                this.server = { url, caPem, operatorToken } as RunningServer;
                return this;
            }
            if (!this.isRunning) {
                throw new Error(`the server did not start: ${this.output}`);
            }
            await sleep(50);
        }
    }

    get isRunning(): boolean {
        return this.child.exitCode === null && this.child.signalCode === null;
    }

    /** Ends the process at once, in the middle of whatever it does. */
    async kill(): Promise<void> {
        if (this.isRunning) {
            await this.end("SIGKILL");
        }
    }

    /** Sends a signal at which the process ends; gives its exit code. */
    async end(signal: NodeJS.Signals): Promise<number | null> {
        const ended = once(this.child, "exit");
        this.child.kill(signal);
        await ended;
        return this.child.exitCode;
    }

    /** Ends it and starts the server of this repository on what it left. */
    async upgrade(): Promise<void> {
        await this.end("SIGTERM");
        this.package = ours;
        await this.start();
    }

    override async stop(): Promise<void> {
        await this.closeConnections();
        await this.kill();
        await rm(this.dataDir, { recursive: true, force: true });
    }
}
