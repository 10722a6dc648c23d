import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/**
 * Runs a command to its end.
 *
 * @throws Error with the command and what it said, when it fails
 */
export async function run(file: string, ...args: string[]): Promise<string> {
    try {
        const { stdout } = await execute(file, args);
        return stdout;
    } catch (error) {
        const { stderr = "" } = error as { stderr?: string };
        throw new Error(`${[file, ...args].join(" ")} failed: ${stderr.trim() || String(error)}`, {
            cause: error,
        });
    }
}

/** Runs a command whose failure means that there was nothing to do. */
export async function attempt(file: string, ...args: string[]): Promise<void> {
    await execute(file, args).catch(() => undefined);
}

/**
 * Runs the lines of a batch of the `ip` command, which is much faster than a process for each.
 *
 * @param namespace network namespace in which they run; by default the caller's
 * @throws Error when one of them fails
 */
export function ipBatch(lines: readonly string[], namespace?: string): Promise<void> {
    const where = namespace === undefined ? [] : ["-netns", namespace];
    const child = spawn("ip", [...where, "-batch", "-"], { stdio: ["pipe", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.stdin.end(`${lines.join("\n")}\n`);
    return new Promise((resolve, reject) => {
        child.on("error", reject);
        child.on("close", (code) => {
            if (code === 0) {
                resolve();
            } else {
                reject(new Error(`ip -batch failed: ${said.trim()}\n${lines.join("\n")}`));
            }
        });
    });
}
