import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

/** What a command printed, its errors after the rest. */
export type Printed = string;

/**
 * A computer that knows nothing of this repository: an empty home, and commands that see nothing of this
 * process' environment but `PATH` and how to reach a package registry.
 */
export class Computer {
    private constructor(
        readonly home: string,
        private readonly environment: Readonly<Record<string, string>>,
    ) {}

    static async empty(home: string): Promise<Computer> {
        mkdirSync(home, { recursive: true });
        return new Computer(home, {
            HOME: home,
            PATH: process.env["PATH"] ?? "",
            ...(await registryAccess()),
        });
    }

    /** The same computer for commands that have more in their environment, and folders in front of `PATH`. */
    with(environment: Readonly<Record<string, string>>, folders: readonly string[] = []): Computer {
        const path = [...folders, this.environment["PATH"]].join(delimiter);
        return new Computer(this.home, { ...this.environment, ...environment, PATH: path });
    }

    /**
     * Runs a command in a folder.
     *
     * @throws Error with all that it printed when it does not end well
     */
    async run(folder: string, file: string, ...args: string[]): Promise<Printed> {
        try {
            const { stdout, stderr } = await promisify(execFile)(file, args, {
                cwd: folder,
                env: this.environment,
                maxBuffer: 64 * 1024 * 1024,
            });
            return stdout + stderr;
        } catch (error) {
            const { stdout, stderr, code } = error as { [key in string]?: string | number };
            throw new Error(
                `${[file, ...args].join(" ")} ended with ${code}:\n${stdout ?? ""}${stderr ?? String(error)}`,
                { cause: error },
            );
        }
    }
}

/** A folder of a home or project, made when it is missing. */
export function folderIn(...parts: readonly [string, ...string[]]): string {
    const folder = join(...parts);
    mkdirSync(folder, { recursive: true });
    return folder;
}

/** Proxies and authorities of this machine: without them it may reach no registry. */
export async function registryAccess(): Promise<Record<string, string>> {
    const { stdout } = await promisify(execFile)("npm", ["config", "get", "cafile"]);
    const authorities = stdout.trim();
    const inherited = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "NODE_EXTRA_CA_CERTS"].flatMap(
        (name) => {
            const value = process.env[name] ?? process.env[name.toLowerCase()];
            return value === undefined ? [] : [[name, value] as const];
        },
    );
    return {
        // npm's own setting, which pnpm does not know.
        ...(["null", "undefined", ""].includes(authorities)
            ? {}
            : { NODE_EXTRA_CA_CERTS: authorities }),
        ...Object.fromEntries(inherited),
    };
}
