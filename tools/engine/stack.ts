import { spawn } from "node:child_process";

/** Where a stack's program is and how the engine is started. */
export interface StackOptions {
    /** Absolute path of the `pulumi` command. */
    readonly pulumi: string;
    /** Its whole environment. */
    readonly env: NodeJS.ProcessEnv;
    /** Folder of the project's `Pulumi.yaml`; the stack's configuration lies beside it. */
    readonly project: string;
    /** Name of the stack. */
    readonly name: string;
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
        await this.must(["stack", "select", "--create"]);
    }

    /** Sets one value of the configuration; the path may go into objects: `cluster.controlPlaneCount`. */
    async set(path: string, value: string | number | boolean): Promise<void> {
        const type = { string: "string", number: "int", boolean: "bool" }[typeof value as "string"];
        await this.must(["config", "set", "--path", path, "--type", type, "--", String(value)]);
    }

    /** Sets one value of the configuration that is kept encrypted. */
    async setSecret(key: string, value: string): Promise<void> {
        await this.must(["config", "set", "--secret", key, "--", value]);
    }

    /** Sets one key of the configuration to an object. */
    async setObject(key: string, value: object): Promise<void> {
        const json = JSON.stringify({
            [key]: { value: JSON.stringify(value), objectValue: value, secret: false },
        });
        await this.must(["config", "set-all", "--json", json]);
    }

    /** Removes one value of the configuration. */
    async unset(path: string): Promise<void> {
        await this.must(["config", "rm", "--path", path]);
    }

    private async must(args: readonly string[]): Promise<void> {
        const { code, stdout, stderr } = await this.capture(args);
        if (code !== 0) {
            throw new Error(`pulumi ${args.slice(0, 4).join(" ")} failed: ${stderr}${stdout}`);
        }
    }

    /** Runs a command on the user's terminal; gives its exit code. */
    show(args: readonly string[]): Promise<number> {
        const child = this.spawn(args, "inherit");
        return new Promise((resolve, reject) => {
            child.on("error", reject);
            child.on("exit", (code) => resolve(code ?? 1));
        });
    }

    /**
     * Runs a command and gives what it printed.
     *
     * @throws Error with that unless it ends with the expected code
     */
    async run(args: readonly string[], expected = 0): Promise<string> {
        const { code, stdout, stderr } = await this.capture(args);
        if (code !== expected) {
            throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
        }
        return stdout + stderr;
    }

    /** Runs a command and keeps what it prints. `onLine` sees each line of its output as it comes. */
    capture(args: readonly string[], onLine?: (line: string) => void): Promise<Outcome> {
        const child = this.spawn(args, "pipe");
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

    private spawn(args: readonly string[], stdio: "inherit" | "pipe") {
        const { pulumi, env, project, name } = this.options;
        const divider = args.indexOf("--");
        const at = divider === -1 ? args.length : divider;
        // On a terminal the engine shows a live tree, elsewhere lines.
        const isLive = stdio === "inherit" && process.stdout.isTTY;
        const flags = ["--stack", name, ...(isLive ? [] : ["--non-interactive"])];
        return spawn(pulumi, [...args.slice(0, at), ...flags, ...args.slice(at)], {
            cwd: project,
            env,
            stdio: stdio === "inherit" ? "inherit" : ["ignore", "pipe", "pipe"],
        });
    }
}
