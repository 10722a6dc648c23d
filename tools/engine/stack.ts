import { spawn } from "node:child_process";

/** Where a stack's program is and how the engine is started. */
export interface StackOptions {
    /** Absolute path of the `pulumi` command. */
    readonly pulumi: string;
    /** Its whole environment. */
    readonly env: NodeJS.ProcessEnv;
    /** Folder of the program, beside its `Pulumi.yaml`. */
    readonly program: string;
    /** Name of the stack. */
    readonly name: string;
    /** File that holds the stack's configuration; made when needed. */
    readonly configFile: string;
}

/** What a command of the engine printed, and how it ended. */
export interface Outcome {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

/** A stack, driven by the real Pulumi CLI. */
export class Stack {
    constructor(readonly options: StackOptions) {}

    /** Makes the stack unless it exists. */
    async ensure(): Promise<void> {
        const { name } = this.options;
        const outcome = await this.capture(["stack", "select", "--create", name], {
            config: false,
        });
        if (outcome.code !== 0) {
            throw new Error(`pulumi stack select failed: ${outcome.stderr}${outcome.stdout}`);
        }
    }

    /** Sets one value of the configuration; the path may go into objects: `cluster.controlPlaneCount`. */
    async set(path: string, value: string | number | boolean): Promise<void> {
        const type = { string: "string", number: "int", boolean: "bool" }[typeof value as "string"];
        const outcome = await this.capture([
            ...["config", "set", "--path", path, "--type", type],
            ...["--", String(value)],
        ]);
        if (outcome.code !== 0) {
            throw new Error(`pulumi config set ${path} failed: ${outcome.stderr}`);
        }
    }

    /** Runs a command on the user's terminal; gives its exit code. */
    show(args: readonly string[]): Promise<number> {
        const child = this.spawn(args, "inherit", true);
        return new Promise((resolve, reject) => {
            child.on("error", reject);
            child.on("exit", (code) => resolve(code ?? 1));
        });
    }

    /** Runs a command and keeps what it prints. `onLine` sees each line of its output as it comes. */
    capture(
        args: readonly string[],
        { config = true, onLine }: { config?: boolean; onLine?: (line: string) => void } = {},
    ): Promise<Outcome> {
        const child = this.spawn(args, "pipe", config);
        let stdout = "";
        let stderr = "";
        let rest = "";
        child.stdout?.on("data", (chunk: Buffer) => {
            stdout += chunk.toString();
            const lines = (rest + chunk.toString()).split("\n");
            rest = lines.pop() ?? "";
            lines.forEach((line) => onLine?.(line));
        });
        child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
        return new Promise((resolve, reject) => {
            child.on("error", reject);
            child.on("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
        });
    }

    private spawn(args: readonly string[], stdio: "inherit" | "pipe", config: boolean) {
        const { pulumi, env, program, name, configFile } = this.options;
        const isStackCommand = args[0] === "stack" && args[1] === "select";
        const flags = [
            ...(isStackCommand ? [] : ["--stack", name]),
            ...(config && args[0] !== "stack" ? ["--config-file", configFile] : []),
        ];
        const divider = args.indexOf("--");
        const at = divider === -1 ? args.length : divider;
        return spawn(
            pulumi,
            [...args.slice(0, at), ...flags, "--non-interactive", ...args.slice(at)],
            {
                cwd: program,
                env,
                stdio: stdio === "inherit" ? "inherit" : ["ignore", "pipe", "pipe"],
            },
        );
    }
}
