import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import * as path from "node:path";

/** The SDK's exit code for "failed, and the user has been told why". */
const EXIT_ALREADY_REPORTED = 32;

/** What the engine asks to run. */
export interface ProgramRun {
    readonly monitorAddress: string;
    readonly engineAddress: string;
    readonly organization: string;
    readonly project: string;
    readonly stack: string;
    /** Folder of Pulumi.yaml. */
    readonly rootDirectory: string;
    /** Folder that the entry point is resolved in. */
    readonly programDirectory: string;
    /** Working directory of the program. */
    readonly workingDirectory: string;
    /** Module to load, relative to the program's folder; `.` asks its package.json. */
    readonly entryPoint: string;
    readonly dryRun: boolean;
    readonly parallel: number;
    readonly args: readonly string[];
    /** Configuration by full key, `project:name`. */
    readonly config: Readonly<Record<string, string>>;
    readonly secretKeys: readonly string[];
    /** `runtime.options` of Pulumi.yaml. */
    readonly options: Readonly<Record<string, unknown>>;
}

/** How a run ended: well (empty), failed and already reported (`bail`), or with an error to show. */
export interface RunOutcome {
    readonly bail?: true;
    readonly error?: string;
}

/** The programs that run now, so that a cancellation reaches them. */
const running = new Set<ChildProcess>();

/** Ends every program that this process started. */
export function cancelPrograms(): void {
    for (const child of running) {
        child.kill("SIGTERM");
    }
}

/** Runs the program with the SDK that is installed beside it, its output going to the engine. */
export async function runProgram(run: ProgramRun): Promise<RunOutcome> {
    let runner: string;
    try {
        const lookup = createRequire(path.join(run.programDirectory, "program.js"));
        runner = lookup.resolve("@pulumi/pulumi/cmd/run/index.js");
    } catch {
        return {
            error: `no @pulumi/pulumi is installed for the program in ${run.programDirectory}: run npm install there`,
        };
    }
    const child = spawn(
        process.execPath,
        [...nodeArguments(run), runner, ...runnerArguments(run)],
        {
            cwd: run.workingDirectory,
            env: { ...process.env, ...programEnvironment(run) },
            stdio: ["ignore", "inherit", "inherit"],
        },
    );
    running.add(child);
    return await new Promise((resolve) => {
        child.once("error", (error) => {
            running.delete(child);
            resolve({ error: `node cannot be started for the program: ${error.message}` });
        });
        child.once("exit", (code, signal) => {
            running.delete(child);
            resolve(outcomeOf(code, signal));
        });
    });
}

function outcomeOf(code: number | null, signal: NodeJS.Signals | null): RunOutcome {
    if (code === 0) {
        return {};
    }
    if (code === EXIT_ALREADY_REPORTED) {
        return { bail: true };
    }
    return {
        error:
            code === null
                ? `the program was ended by ${signal ?? "a signal"}`
                : `the program exited with code ${code}`,
    };
}

function nodeArguments(run: ProgramRun): string[] {
    const given = run.options["nodeargs"];
    return typeof given === "string" ? given.split(/\s+/).filter((word) => word !== "") : [];
}

/** Arguments of the SDK's `cmd/run`; its usage text is their reference. */
function runnerArguments(run: ProgramRun): string[] {
    return [
        ["--monitor", run.monitorAddress],
        ["--engine", run.engineAddress],
        ["--organization", run.organization],
        ["--project", run.project],
        ["--root-directory", run.rootDirectory],
        ["--stack", run.stack],
        ["--pwd", run.workingDirectory],
        run.dryRun ? ["--dry-run", "true"] : [],
        ["--parallel", String(run.parallel)],
        [run.entryPoint],
        run.args,
    ].flat();
}

function programEnvironment(run: ProgramRun): Record<string, string> {
    return {
        PULUMI_CONFIG: JSON.stringify(run.config),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(run.secretKeys),
        ...(run.options["typescript"] === false ? {} : { PULUMI_NODEJS_TYPESCRIPT: "true" }),
    };
}
