import { readFileSync } from "node:fs";

/** Ticks a second in `/proc`: USER_HZ, 100 on every architecture that Node.js runs on. */
const ticksPerSecond = 100;

/**
 * Seconds of processor time that this process's ended children used, and theirs: of a command of the
 * engine, the command, its plugins and the program. Linux only, as the simulated nodes.
 */
export function processorTimeOfChildren(): number {
    const stat = readFileSync("/proc/self/stat", "utf8");
    // The second field is a name in brackets that may hold anything; the third follows it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [user, system] = [fields[13], fields[14]]; // cutime and cstime, fields 16 and 17
    return (Number(user) + Number(system)) / ticksPerSecond;
}
