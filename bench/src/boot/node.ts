import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/**
 * While this file is on a machine, its user data waits for the next power-on: what the contestants find at
 * theirs must be there first, as on a cloud, where a machine boots for longer than certificates take.
 */
export const waitFile = "/etc/bench-wait";

const execute = promisify(execFile);

/** Ticks a second in `/proc`: USER_HZ, 100 on every architecture that Node.js runs on. */
const ticksPerSecond = 100;

/** A real node that is on, seen from the machine that it runs on. */
export class RunningNode {
    /** When its first process started, in milliseconds since the epoch: power-on. */
    readonly poweredOn: number;

    /** @param pid process id of its init */
    constructor(
        readonly vmId: number,
        readonly address: string,
        readonly pid: number,
    ) {
        this.poweredOn = startOf(`/proc/${pid}/stat`);
    }

    /** Where a path of the node lies. */
    path(name: string): string {
        return join(`/proc/${this.pid}/root`, name);
    }

    has(name: string): boolean {
        return existsSync(this.path(name));
    }

    read(name: string): string {
        return readFileSync(this.path(name), "utf8");
    }

    /**
     * Runs a command inside; gives what it printed.
     *
     * @throws Error with what it said when it fails
     */
    async run(...command: string[]): Promise<string> {
        const { stdout } = await execute(
            "nsenter",
            [
                ...["--target", String(this.pid), "--mount", "--uts", "--ipc", "--net", "--pid"],
                ...[
                    "env",
                    "-i",
                    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                ],
                ...command,
            ],
            { maxBuffer: 64 * 1024 * 1024 },
        );
        return stdout;
    }

    /** When the node's first process of each name started, in milliseconds since the epoch. */
    programs(): Map<string, number> {
        const started = new Map<string, number>();
        for (const entry of readdirSync(this.path("/proc"))) {
            if (/^\d+$/.test(entry)) {
                this.noteProgram(this.path(`/proc/${entry}`), started);
            }
        }
        return started;
    }

    private noteProgram(process: string, started: Map<string, number>): void {
        try {
            const [command = ""] = readFileSync(join(process, "cmdline"), "utf8").split("\0");
            const name = command.slice(command.lastIndexOf("/") + 1);
            const start = startOf(join(process, "stat"));
            started.set(name, Math.min(start, started.get(name) ?? Infinity));
        } catch {
            // It has ended meanwhile.
        }
    }
}

/** When the process of a `stat` file started, in milliseconds since the epoch. */
function startOf(stat: string): number {
    // The name in parentheses may hold spaces; field 22 is the 20th after it.
    const ticks = Number(readFileSync(stat, "utf8").split(") ").at(-1)?.split(" ")[19]);
    const [uptime] = readFileSync("/proc/uptime", "utf8").split(" ");
    return Date.now() - (Number(uptime) - ticks / ticksPerSecond) * 1000;
}
