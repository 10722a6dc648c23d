import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

/** Folder that all clouds of this machine share; gone after a reboot, as is what it speaks of. */
const folder = "/run/excloud-local";

/** Who holds a network. */
export interface Claim {
    readonly index: number;
    /** Folder of the cloud. */
    readonly dir: string;
    readonly pid: number;
    /** When the process started, in ticks: a process id is used again. */
    readonly started: string;
}

const file = (index: number): string => path.join(folder, `${index}.json`);

/**
 * Claims a network for this process.
 *
 * @param wanted the network of a cloud that exists; without it the first free one is taken
 * @throws Error when the wanted network, or every one, is held
 */
export function claim(dir: string, wanted: number | undefined): Claim {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    const indexes = wanted === undefined ? Array.from({ length: 256 }, (_, i) => i) : [wanted];
    for (const index of indexes) {
        const mine: Claim = { index, dir, pid: process.pid, started: startOf(process.pid) ?? "" };
        try {
            writeFileSync(file(index), JSON.stringify(mine), { flag: "wx" });
            return mine;
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
                throw error;
            }
        }
    }
    throw new Error(
        wanted === undefined
            ? "All networks are in use by other local clouds; stop some."
            : `The network ${wanted} of this folder is in use: another local cloud runs on it. Stop it first.`,
    );
}

export function release({ index }: Claim): void {
    rmSync(file(index), { force: true });
}

/** The claims of processes that have died. */
export function deadClaims(): Claim[] {
    if (!existsSync(folder)) {
        return [];
    }
    return readdirSync(folder)
        .filter((name) => name.endsWith(".json"))
        .map((name) => JSON.parse(readFileSync(path.join(folder, name), "utf8")) as Claim)
        .filter(({ pid, started }) => startOf(pid) !== started);
}

/** When a process started, in clock ticks since the machine did; undefined when there is none. */
function startOf(pid: number): string | undefined {
    try {
        // The name in parentheses may hold spaces; field 22 is the 20th after it.
        return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[19];
    } catch {
        return undefined;
    }
}
