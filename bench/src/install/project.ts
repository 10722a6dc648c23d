import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A package that is installed beside `@pulumi/pulumi`. */
export interface Candidate {
    readonly name: string;
    /** What npm is told to install. */
    readonly spec: string;
}

/** What one installation cost and left. */
export interface Installation {
    readonly seconds: number;
    readonly packages: number;
    readonly megabytes: number;
}

/** Processor and wall time in which a process loads modules, in milliseconds. */
export interface Start {
    readonly wall: number;
    readonly processor: number;
}

/** Installs into an empty folder, with a cache of npm that is empty too. */
export async function install(folder: string, { spec }: Candidate): Promise<Installation> {
    mkdirSync(folder, { recursive: true });
    await run("npm", ["init", "--yes"], { cwd: folder });
    const began = performance.now();
    await run("npm", ["install", "--ignore-scripts", "--no-audit", "@pulumi/pulumi@3", spec], {
        cwd: folder,
        env: { ...process.env, npm_config_cache: join(folder, "npm-cache") },
        maxBuffer: 64 * 1024 * 1024,
    });
    const seconds = (performance.now() - began) / 1000;
    const modules = join(folder, "node_modules");
    const { packages } = JSON.parse(readFileSync(join(modules, ".package-lock.json"), "utf8")) as {
        packages: Record<string, unknown>;
    };
    // Packages of other platforms are listed and not there.
    const installed = Object.keys(packages).filter((path) => existsSync(join(folder, path)));
    return { seconds, packages: installed.length, megabytes: bytesBelow(modules) / 1e6 };
}

/** Starts a process that loads modules of an installation, as a program's first lines do. */
export async function start(folder: string, modules: readonly string[]): Promise<Start> {
    const program = `
        const began = performance.now();
        for (const name of ${JSON.stringify(modules)}) require(name);
        const { user, system } = process.cpuUsage();
        const processor = (user + system) / 1000;
        console.log(JSON.stringify({ wall: performance.now() - began, processor }));`;
    const { stdout } = await run(process.execPath, ["--eval", program], { cwd: folder });
    return JSON.parse(stdout) as Start;
}

function bytesBelow(folder: string): number {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
        .map((name) => statSync(join(folder, name), { throwIfNoEntry: false }))
        .reduce((sum, file) => sum + (file?.isFile() ? file.size : 0), 0);
}
