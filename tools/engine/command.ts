import { spawn } from "node:child_process";

/** A command to run to its end. */
export interface Command {
    readonly file: string;
    readonly args: readonly string[];
    readonly cwd?: string;
    /** Variables beside those of this process. */
    readonly env?: NodeJS.ProcessEnv;
    /** The command and all it started are killed after this time, in milliseconds. */
    readonly timeoutMs: number;
}

/** How much of a command's output an error keeps, in characters from the end. */
const KEPT_OUTPUT = 2000;

/**
 * Runs a command and gives its standard output.
 * @throws when it cannot be started, fails or takes too long; the message has the end of its output
 */
export function runCommand(command: Command): Promise<string> {
    const title = [command.file, ...command.args].join(" ");
    return new Promise((resolve, reject) => {
        const child = spawn(command.file, command.args, {
            cwd: command.cwd,
            env: { ...process.env, ...command.env },
            stdio: ["ignore", "pipe", "pipe"],
            detached: true,
        });
        let stdout = "";
        let stderr = "";
        let late = false;
        child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
        child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
        const timer = setTimeout(() => {
            late = true;
            if (child.pid !== undefined) {
                process.kill(-child.pid, "SIGKILL");
            }
        }, command.timeoutMs);
        child.once("error", (error) => {
            clearTimeout(timer);
            reject(new Error(`${title}: cannot be started: ${error.message}`));
        });
        child.once("close", (code) => {
            clearTimeout(timer);
            if (code === 0) {
                resolve(stdout);
                return;
            }
            const reason = late
                ? `did not end within ${command.timeoutMs / 1000} s`
                : `ended with ${code ?? "a signal"}`;
            reject(new Error(`${title}: ${reason}\n${(stderr + stdout).slice(-KEPT_OUTPUT)}`));
        });
    });
}
