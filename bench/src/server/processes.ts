import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/** A process of the benchmark that serves until it is stopped. */
export interface Service {
    url: string;
    pid: number;
    stop(): Promise<void>;
}

function start(entry: string, argument: unknown): ChildProcess {
    return fork(require.resolve(entry), [JSON.stringify(argument)], { stdio: "inherit" });
}

async function message<T>(child: ChildProcess, entry: string): Promise<T> {
    const ended = once(child, "exit").then(([code]) => {
        throw new Error(`${entry} ended with ${String(code)} before it answered`);
    });
    const [answer] = (await Promise.race([once(child, "message"), ended])) as [T];
    ended.catch(() => undefined);
    return answer;
}

/** Runs a file of this folder in a process of its own and gives what it sends. */
export async function runProcess<T>(entry: string, argument: unknown): Promise<T> {
    const child = start(entry, argument);
    const answer = await message<T>(child, entry);
    if (child.exitCode === null) await once(child, "exit");
    return answer;
}

/** Starts a file of this folder as a service; it sends its `url` when it listens. */
export async function startService(entry: string, argument: unknown): Promise<Service> {
    const child = start(entry, argument);
    const { url } = await message<{ url: string }>(child, entry);
    return {
        url,
        pid: child.pid as number,
        async stop() {
            child.kill();
            if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
        },
    };
}

/** What the starter of this process gave it. */
export function argument<T>(): T {
    return JSON.parse(process.argv[2] as string) as T;
}

/** Answers the starter of this process. */
export function answer(value: unknown): void {
    process.send?.(value);
}

/** Resident memory of a process, in bytes (Linux). */
export function residentBytes(pid: number): number {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return 1024 * Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
}
