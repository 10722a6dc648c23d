import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import * as path from "node:path";

/** The real bootstrap server in a process of its own, as an operator runs it. */
export interface BootstrapProcess {
    readonly url: string;
    readonly caPem: string;
    readonly operatorToken: string;
    close(): Promise<void>;
}

const ours = path.join(__dirname, "../../../../bootstrap-server");

/** Starts a built bootstrap server, ours by default, with an embedded database in `folder`. */
export async function startBootstrapServer(
    folder: string,
    environment: Record<string, string>,
    server = ours,
): Promise<BootstrapProcess> {
    mkdirSync(folder, { recursive: true });
    const readyFile = path.join(folder, "ready.json");
    const child = spawn(
        process.execPath,
        [
            path.join(server, "dist/main.js"),
            ...["serve", "--listen", "127.0.0.1:0"],
            ...["--data-dir", path.join(folder, "data"), "--ready-file", readyFile],
        ],
        {
            env: { PATH: process.env["PATH"], ...environment },
            stdio: ["ignore", "pipe", "pipe"],
        },
    );
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    const ended = once(child, "exit");
    for (let tries = 0; !existsSync(readyFile); tries++) {
        if (tries > 600 || child.exitCode !== null) {
            child.kill();
            throw new Error(`the bootstrap server does not start:\n${output}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const ready = JSON.parse(readFileSync(readyFile, "utf8")) as {
        url: string;
        caFile: string;
        tokenFile: string;
    };
    return {
        url: ready.url,
        caPem: readFileSync(ready.caFile, "utf8"),
        operatorToken: readFileSync(ready.tokenFile, "utf8").trim(),
        close: async () => {
            child.kill();
            await ended;
        },
    };
}
