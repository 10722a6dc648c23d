import { readdirSync, readFileSync } from "node:fs";

/** Whether a process runs. One that has ended and waits for its parent to take note of it does not. */
export function isAlive(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return !isZombie(pid);
    } catch (error) {
        // It runs, as another user.
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
}

/** The processes of this machine; empty where there is no `/proc`. */
export function processIds(): number[] {
    try {
        return readdirSync("/proc")
            .filter((name) => /^\d+$/.test(name))
            .map(Number);
    } catch {
        return [];
    }
}

/** Command and arguments of a process; empty when it has ended or cannot be looked at. */
export function commandOf(pid: number): string[] {
    return partsOf(`/proc/${pid}/cmdline`);
}

/** Environment of a process; empty when it has ended or cannot be looked at. */
export function environmentOf(pid: number): Record<string, string> {
    return Object.fromEntries(
        partsOf(`/proc/${pid}/environ`).map((line) => {
            const at = line.indexOf("=");
            return [line.slice(0, at), line.slice(at + 1)];
        }),
    );
}

function isZombie(pid: number): boolean {
    try {
        // The command's name, in parentheses, may hold anything.
        return / [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\)/s, ""));
    } catch {
        return false;
    }
}

function partsOf(file: string): string[] {
    try {
        return readFileSync(file, "utf8").split("\0").slice(0, -1);
    } catch {
        return [];
    }
}
