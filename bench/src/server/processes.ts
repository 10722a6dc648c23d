import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A process of the benchmark that serves until it is stopped. */
export interface Service {
    url: string;
    pid: number;
    stop(): Promise<void>;
}

/** Gives the argument as a file: Linux takes no text above 128 KiB on a command line, and shows all of it. */
function start(entry: string, argument: unknown): ChildProcess {
    const folder = mkdtempSync(join(tmpdir(), "bench-argument-"));
    const file = join(folder, "argument.json");
    writeFileSync(file, JSON.stringify(argument), { mode: 0o600 });
    const child = fork(require.resolve(entry), [file], { stdio: "inherit" });
    child.once("exit", () => rmSync(folder, { recursive: true }));
    return child;
}

async function message<T>(child: ChildProcess, entry: string): Promise<T> {
    const ended = once(child, "exit").then(([code]) => {
        throw new Error(`${entry} ended with ${String(code)} before it answered`);
    });
    const [answer] = (await Promise.race([once(child, "message"), ended])) as [T];
    ended.catch(() => undefined);
    return answer;
}

/** A process of the benchmark that works until it has an answer. */
export interface Job<T> {
    answer: Promise<T>;
    /** Sends it something, unless it has ended. */
    tell(news: unknown): void;
}

/** Starts a file of this folder in a process of its own. */
export function startJob<T>(entry: string, argument: unknown): Job<T> {
    const child = start(entry, argument);
    const ended = once(child, "exit");
    return {
        answer: message<T>(child, entry).then(async (answer) => {
            await ended;
            return answer;
        }),
        tell(news) {
            // What is on its way to a process that ends is of no use to it.
            if (child.connected) {
                child.send(news as object, () => undefined);
            }
        },
    };
}

/** Runs a file of this folder in a process of its own and gives what it sends. */
export async function runProcess<T>(entry: string, argument: unknown): Promise<T> {
    return startJob<T>(entry, argument).answer;
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
            if (child.exitCode === null && child.signalCode === null) {
                await once(child, "exit");
            }
        },
    };
}

/** What the starter of this process gave it. */
export function argument<T>(): T {
    return JSON.parse(readFileSync(process.argv[2] as string, "utf8")) as T;
}

/** Hears what the starter of this process tells it, which does not keep it from ending. */
export function onNews<T>(hear: (news: T) => void): void {
    process.on("message", hear);
    process.channel?.unref();
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
