import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { commandOf, environmentOf, isAlive, processIds } from "./processes";

/**
 * Provider processes of a project whose engine was killed. Such a process never ends by itself, and may
 * still be creating something that no state will ever hold.
 *
 * @returns their process ids; empty where there is no `/proc` to look at
 */
export async function orphansOf(project: string): Promise<number[]> {
    const candidates = processIds().filter((pid) => {
        const environment = environmentOf(pid);
        return (
            engineOf(commandOf(pid)) !== undefined &&
            environment["PULUMI_PROJECT"] === project &&
            environment["PULUMI_BACKEND_URL"] === process.env["PULUMI_BACKEND_URL"]
        );
    });
    const served = await Promise.all(
        candidates.map((pid) => isListening(engineOf(commandOf(pid)) ?? "")),
    );
    return candidates.filter((_, index) => !served[index]);
}

/** Ends processes and waits until they have ended. */
export async function end(pids: readonly number[]): Promise<void> {
    for (const pid of pids.filter(isAlive)) {
        process.kill(pid, "SIGTERM");
    }
    while (pids.some(isAlive)) {
        await sleep(50);
    }
}

/** The address of the engine that a provider of dynamic resources serves; undefined for other commands. */
export function engineOf(command: readonly string[]): string | undefined {
    const isProvider = command.some((part) => /cmd[\\/]dynamic-provider\b/.test(part));
    return isProvider ? command.find((part) => /^[\w.]+:\d+$/.test(part)) : undefined;
}

async function isListening(address: string): Promise<boolean> {
    const [host = "", port = ""] = address.split(":");
    const socket = connect({ host, port: Number(port) });
    try {
        await once(socket, "connect");
        return true;
    } catch {
        return false;
    } finally {
        socket.destroy();
    }
}
