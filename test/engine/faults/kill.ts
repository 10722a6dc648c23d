import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { commandOf, isAlive } from "../../../cli/processes";
import type { Stack } from "../../../tools/engine/stack";
import { isProgress, type KillPoint } from "./kill-points";
import { descendantsOf } from "./support";

/** How a run that was to be killed ended. */
export interface Killed {
    /** False when it ended before. */
    readonly wasKilled: boolean;
    /** Processes that it left; those that could still reach the cloud are the providers. */
    readonly left: readonly { readonly pid: number; readonly isProvider: boolean }[];
}

/** Runs a command of the engine and kills it, and all it started unless the point says otherwise. */
export async function runAndKill(
    { options: { pulumi, env, project, name } }: Stack,
    args: readonly string[],
    { line: wanted, delay, engineOnly }: KillPoint,
): Promise<Killed> {
    const flags = ["--yes", "--skip-preview", "--stack", name, "--non-interactive"];
    const engine = spawn(pulumi, [...args, ...flags], {
        cwd: project,
        env,
        stdio: ["ignore", "pipe", "ignore"],
    });
    const pid = engine.pid!;
    const ended = once(engine, "exit");
    let left: Killed["left"] = [];
    let seen = 0;
    for await (const line of createInterface({ input: engine.stdout })) {
        seen += isProgress(line) ? 1 : 0;
        if (seen === wanted && isProgress(line)) {
            await sleep(delay);
            if (engine.exitCode === null) {
                left = await kill(pid, engineOnly);
                break;
            }
        }
    }
    const [, signal] = (await ended) as [number | null, string | null];
    return { wasKilled: signal === "SIGKILL", left: left.filter(({ pid }) => isAlive(pid)) };
}

/** Kills processes that were all found before: the engine could otherwise start to clean up. */
export async function kill(engine: number, engineOnly: boolean): Promise<Killed["left"]> {
    const started = descendantsOf(engine);
    const left = started.map((pid) => ({ pid, isProvider: isProvider(pid) }));
    const victims = engineOnly ? [engine] : [engine, ...started];
    for (const pid of victims.filter(isAlive)) {
        process.kill(pid, "SIGKILL");
    }
    // The engine itself is ours, and gone when its exit has been seen.
    while (victims.slice(1).some(isAlive)) {
        await sleep(20);
    }
    return left;
}

/** Of a process that has ended meanwhile, no command is found. */
const isProvider = (pid: number): boolean =>
    commandOf(pid).some((part) => part.includes("cmd/dynamic-provider"));

/** Ends what a killed run left. */
export function endAll(left: Killed["left"]): void {
    for (const { pid } of left.filter(({ pid }) => isAlive(pid))) {
        process.kill(pid, "SIGKILL");
    }
}
