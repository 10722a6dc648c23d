import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A program: the SDK of Pulumi and the packages that it uses. */
export interface Candidate {
    readonly name: string;
    /** What npm is told to install. */
    readonly specs: readonly string[];
    /** What the program loads first. */
    readonly modules: readonly string[];
}

/** What one installation cost and left. */
export interface Installation {
    readonly installSeconds: number;
    readonly packages: number;
    readonly megabytes: number;
}

/** A process that loads modules: the time of loading, and the processor time since it began. */
export interface Start {
    readonly startMs: number;
    readonly startProcessorMs: number;
}

/** Installs into an empty folder, with a cache of npm that is empty too. */
export async function install(folder: string, { specs }: Candidate): Promise<Installation> {
    mkdirSync(folder, { recursive: true });
    await run("npm", ["init", "--yes"], { cwd: folder });
    const began = performance.now();
    await run("npm", ["install", "--ignore-scripts", "--no-audit", ...specs], {
        cwd: folder,
        env: { ...process.env, npm_config_cache: join(folder, "npm-cache") },
        maxBuffer: 64 * 1024 * 1024,
    });
    const installSeconds = (performance.now() - began) / 1000;
    const modules = join(folder, "node_modules");
    const { packages } = JSON.parse(readFileSync(join(modules, ".package-lock.json"), "utf8")) as {
        packages: Record<string, unknown>;
    };
    // Packages of other platforms are listed and not there.
    const installed = Object.keys(packages).filter((path) => existsSync(join(folder, path)));
    return { installSeconds, packages: installed.length, megabytes: bytesBelow(modules) / 1e6 };
}

/** Starts a process that loads modules of an installation, as a program's first lines do. */
export async function start(folder: string, { modules }: Candidate): Promise<Start> {
    const program = `
        const began = performance.now();
        for (const name of ${JSON.stringify(modules)}) require(name);
        const { user, system } = process.cpuUsage();
        const startMs = performance.now() - began;
        console.log(JSON.stringify({ startMs, startProcessorMs: (user + system) / 1000 }));`;
    const { stdout } = await run(process.execPath, ["--eval", program], { cwd: folder });
    return JSON.parse(stdout) as Start;
}

function bytesBelow(folder: string): number {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
        .map((name) => statSync(join(folder, name), { throwIfNoEntry: false }))
        .reduce((sum, file) => sum + (file?.isFile() ? file.size : 0), 0);
}
