import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { commandOf, isAlive } from "./processes";

/** Who locked a stack, as Pulumi writes it into the lock's file. */
export interface Lock {
    readonly pid: number;
    readonly username: string;
    readonly hostname: string;
    readonly timestamp: string;
}

/**
 * The locks of a stack in a backend; undefined where only the backend knows them.
 *
 * @param stack in full: `organization/project/stack`
 */
export function locksOf(backendUrl: string, stack: string): Lock[] | undefined {
    if (!backendUrl.startsWith("file://")) {
        return undefined;
    }
    const folder = join(fileURLToPath(backendUrl), ".pulumi", "locks", stack);
    return !existsSync(folder)
        ? []
        : readdirSync(folder)
              .filter((name) => !name.endsWith(".attrs"))
              .map((name) => lockIn(join(folder, name)));
}

/** A killed run can leave half of a lock, which locks as well. */
function lockIn(file: string): Lock {
    try {
        return JSON.parse(readFileSync(file, "utf8")) as Lock;
    } catch {
        return { pid: 0, username: "somebody", hostname: "some machine", timestamp: "some time" };
    }
}

/** Whether the run that locked the stack goes on, on this machine. */
export function isHeld(lock: Lock): boolean {
    if (lock.hostname !== hostname() || !isAlive(lock.pid)) {
        return false;
    }
    // Process ids are used again; a process that cannot be looked at counts as the run.
    const command = commandOf(lock.pid);
    return command.length === 0 || command[0]!.includes("pulumi");
}
