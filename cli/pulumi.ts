import { spawn } from "node:child_process";

/** What can be said to the user as it is. */
export class CommandError extends Error {}

/** How a command ended, and what it printed. */
export interface Outcome {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

/** The user's own `pulumi`, in the folder of a project. */
export interface Pulumi {
    /** Name the stack to commands that are about one; empty when it is the selected one. */
    readonly stackFlags: readonly string[];
    /**
     * Runs a command to its end and gives its standard output.
     * @throws CommandError when it fails; the message holds what it printed
     */
    read(args: readonly string[]): Promise<string>;
    /** Runs a command on the user's terminal; gives its exit code. */
    show(args: readonly string[]): Promise<number>;
}

/** The `pulumi` on PATH. @param stack undefined means the one that is selected */
export function pulumiIn(folder: string, stack: string | undefined): Pulumi {
    const run = (args: readonly string[], output: "pipe" | "inherit"): Promise<Outcome> =>
        new Promise((resolve, reject) => {
            const child = spawn("pulumi", [...args, "--non-interactive"], {
                cwd: folder,
                stdio: ["ignore", output, output],
            });
            let stdout = "";
            let stderr = "";
            child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
            child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
            child.once("error", (error: NodeJS.ErrnoException) =>
                reject(
                    new CommandError(
                        `pulumi cannot be started in ${folder}: ${error.message}. ` +
                            "Next: install it, or add its folder to PATH",
                    ),
                ),
            );
            child.once("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
        });
    return {
        stackFlags: stack === undefined ? [] : ["--stack", stack],
        read: async (args) => {
            const { code, stdout, stderr } = await run(args, "pipe");
            if (code !== 0) {
                throw new CommandError(
                    `pulumi ${args.join(" ")} failed:\n${(stderr + stdout).trim()}`,
                );
            }
            return stdout;
        },
        show: async (args) => (await run(args, "inherit")).code,
    };
}
