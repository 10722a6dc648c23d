import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import type { OperationName } from "excloud-k8s/api";
import type { CallFault, CallFaultSpec } from "excloud-local/faults";
import { request } from "undici";

import { isAlive, processIds } from "../../../cli/processes";
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

/** Makes calls of the bench's cloud go wrong. */
export async function addFault(bench: Bench, fault: CallFaultSpec<OperationName>): Promise<void> {
    await faultsOfCalls(bench, "POST", fault);
}

/** The faults that were added, each with its hits. */
export async function listFaults(bench: Bench): Promise<Pick<CallFault, "id" | "hits">[]> {
    return (await faultsOfCalls(bench, "GET")) as Pick<CallFault, "id" | "hits">[];
}

/** Ends all faults of calls; what hangs goes on. */
export async function clearFaults(bench: Bench): Promise<void> {
    await faultsOfCalls(bench, "DELETE");
}

async function faultsOfCalls(
    { services }: Bench,
    method: "GET" | "POST" | "DELETE",
    fault?: CallFaultSpec,
): Promise<unknown> {
    const { statusCode, body } = await request(`${services.computeUrl}/_local/faults/calls`, {
        method,
        headers: {
            authorization: `Bearer ${services.environment["EXCLOUD_API_KEY"]}`,
            ...(fault ? { "content-type": "application/json" } : {}),
        },
        body: fault ? JSON.stringify(fault) : null,
    });
    const text = await body.text();
    if (statusCode !== 200) {
        throw new Error(`the cloud's faults answered ${statusCode}: ${text}`);
    }
    return JSON.parse(text);
}

/** The process ids of everything that a process started, and that those started. */
export function descendantsOf(pid: number): number[] {
    const children = processIds().filter((candidate) => parentOf(candidate) === pid);
    return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

function parentOf(pid: number): number | undefined {
    try {
        // The command's name, in parentheses, may hold spaces.
        const [, rest = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(/\) (?!.*\) )/s);
        return Number(rest.split(" ")[1]);
    } catch {
        return undefined; // ended meanwhile
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
