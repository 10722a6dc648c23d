import { readdirSync, readFileSync } from "node:fs";

/** Ticks a second in `/proc`: USER_HZ, 100 on every architecture that Node.js runs on. */
const ticksPerSecond = 100;

/**
 * Seconds of processor time that this process's ended children used, and theirs: of a command of the
 * engine, the command, its plugins and the program. Linux only, as the simulated nodes.
 */
export function processorTimeOfChildren(): number {
    const stat = statOf("self");
    return (stat.childrenUser + stat.childrenSystem) / ticksPerSecond;
}

/** Seconds of processor time that a running process and its running children used. Linux only. */
export function processorTimeOf(pid: number): number {
    const all = readdirSync("/proc")
        .filter((name) => /^[0-9]+$/.test(name))
        .flatMap((name) => {
            try {
                return [{ pid: Number(name), ...statOf(name) }];
            } catch {
                return []; // it ended meanwhile
            }
        });
    return all
        .filter((one) => one.pid === pid || one.parent === pid)
        .reduce((sum, { user, system }) => sum + (user + system) / ticksPerSecond, 0);
}

function statOf(process: string) {
    const stat = readFileSync(`/proc/${process}/stat`, "utf8");
    // The second field is a name in brackets that may hold anything; the third follows it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const field = (number: number) => Number(fields[number - 3]);
    return {
        parent: field(4),
        user: field(14),
        system: field(15),
        childrenUser: field(16),
        childrenSystem: field(17),
    };
}
