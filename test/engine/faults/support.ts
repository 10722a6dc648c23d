import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { request } from "undici";

import { Stack } from "../../../tools/engine/stack";
import type { Bench } from "../cluster/harness";

/** The same stack under another environment; `undefined` takes a variable away. */
export function stackWith(
    { stack }: Bench,
    changes: Readonly<Record<string, string | undefined>>,
): Stack {
    const env = { ...stack.options.env, ...changes };
    for (const name of Object.keys(changes).filter((key) => changes[key] === undefined)) {
        delete env[name];
    }
    return new Stack({ ...stack.options, env });
}

/** Runs `pulumi up`; gives its exit code and all it printed. */
export async function up(
    stack: Stack,
    flags: readonly string[] = [],
): Promise<{ code: number; text: string }> {
    const { code, stdout, stderr } = await stack.capture([
        "up",
        "--yes",
        "--skip-preview",
        ...flags,
    ]);
    return { code, text: stdout + stderr };
}

/** Changes the stack's configuration while something runs. */
export async function withSettings<T>(
    { stack, folder }: Bench,
    settings: Readonly<Record<string, string | number>>,
    run: () => Promise<T>,
): Promise<T> {
    const before = readFileSync(folder.configFile);
    try {
        for (const [path, value] of Object.entries(settings)) {
            await stack.set(path, value);
        }
        return await run();
    } finally {
        writeFileSync(folder.configFile, before);
    }
}

/**
 * What happens to a creating call: `refuse` answers 403 without doing it, `lose` does it and cuts the
 * connection before the answer.
 */
export type Fault = "refuse" | "lose" | undefined;

/** Stands between the provider and the cloud's compute API, and spoils creations of VMs. */
export interface FaultyCloud {
    readonly url: string;
    close(): Promise<void>;
}

/** Starts one; `faultOf` is asked about each creation, by the name of the VM. */
export async function startFaultyCloud(
    target: string,
    faultOf: (vmName: string) => Fault,
): Promise<FaultyCloud> {
    const server = createServer((incoming, answer) => {
        void (async () => {
            const body = await textOf(incoming);
            const isCreation = incoming.url === "/compute/create";
            const fault = isCreation
                ? faultOf((JSON.parse(body) as { name: string }).name)
                : undefined;
            if (fault === "refuse") {
                const error = { code: "compute.auth.forbidden", message: "no policy allows it" };
                answer.writeHead(403, { "content-type": "application/json" });
                answer.end(JSON.stringify({ error }));
                return;
            }
            const { authorization = "" } = incoming.headers;
            const real = await request(target + (incoming.url ?? ""), {
                method: incoming.method as "GET" | "POST",
                headers: {
                    authorization,
                    ...(body === "" ? {} : { "content-type": "application/json" }),
                },
                body: body === "" ? null : body,
            });
            const text = await real.body.text();
            if (fault === "lose") {
                incoming.socket.destroy();
                return;
            }
            answer.writeHead(real.statusCode, { "content-type": "application/json" });
            answer.end(text);
        })().catch(() => incoming.socket.destroy());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        close: async () => {
            server.closeAllConnections();
            server.close();
            await once(server, "close");
        },
    };
}

async function textOf(incoming: IncomingMessage): Promise<string> {
    let text = "";
    for await (const chunk of incoming) {
        text += String(chunk);
    }
    return text;
}

/** The process ids of everything that a process started, and that those started. */
export function descendantsOf(pid: number): number[] {
    const children = readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
        .map(Number);
    return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

function parentOf(pid: string): number | undefined {
    try {
        // The command's name, in parentheses, may hold spaces.
        const [, rest = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(/\) (?!.*\) )/s);
        return Number(rest.split(" ")[1]);
    } catch {
        return undefined; // ended meanwhile
    }
}

/** Whether a process runs. */
export function isAlive(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch {
        return false;
    }
}

/** Ends the bootstrap server of a bench, as if its machine were gone. */
export async function stopBootstrapServer({ folder }: Bench): Promise<void> {
    const ready = readFileSync(folder.readyFile("server"), "utf8");
    const { pid } = JSON.parse(ready) as { pid: number };
    process.kill(pid, "SIGKILL");
    while (isAlive(pid)) {
        await sleep(20);
    }
}

/** A line of a stack trace. */
export const stackTrace = /^\s+at \S.*:\d+:\d+/m;
