import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** From PyPI, for tests only: it makes requests from an OpenAPI document and judges the answers. */
const version = "4.32.5";

/** What a run is made from. */
export interface FuzzRun {
    url: string;
    caFile: string;
    /** Operations by path, a regular expression. */
    paths: string;
    headers: Record<string, string>;
    /** Values of parameters that are always sent, `path.name`. */
    parameters?: Record<string, string>;
    maxExamples: number;
    seed: number;
}

/**
 * Installs Schemathesis into a folder of the user's cache, once. Returns its program, or undefined
 * with the reason on the console where there is no Python or no package registry. It does not return
 * before, as tests are defined by what it gives.
 */
export function ensureSchemathesis(): string | undefined {
    const base = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
    const folder = join(base, "excloud-k8s", `schemathesis-${version}`);
    const program = join(folder, "venv", "bin", "schemathesis");
    if (existsSync(join(folder, "complete"))) {
        return program;
    }
    try {
        // A virtual environment cannot be moved, so a mark says that it is whole.
        mkdirSync(dirname(folder), { recursive: true });
        execFileSync("python3", ["-m", "venv", "--clear", join(folder, "venv")]);
        const pip = join(folder, "venv", "bin", "pip");
        execFileSync(pip, ["install", "--quiet", `schemathesis==${version}`]);
        writeFileSync(join(folder, "complete.new"), "");
        renameSync(join(folder, "complete.new"), join(folder, "complete"));
        return program;
    } catch (error) {
        console.warn(`no fuzz run, Schemathesis cannot be installed: ${String(error)}`);
        return undefined;
    }
}

/** Runs Schemathesis against a server. Throws with its report when an answer is not as documented. */
export async function fuzz(program: string, options: FuzzRun): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "schemathesis-"));
    try {
        const table = (name: string, values: Record<string, string>): string[] => [
            `[${name}]`,
            ...Object.entries(values).map(
                ([key, value]) => `${JSON.stringify(key)} = ${JSON.stringify(value)}`,
            ),
        ];
        // Tokens go by file: command lines are read by everybody.
        const config = join(folder, "schemathesis.toml");
        const lines = [
            ...table("headers", options.headers),
            ...table("parameters", options.parameters ?? {}),
        ];
        await writeFile(config, `${lines.join("\n")}\n`, { mode: 0o600 });
        const { stdout } = await run(
            program,
            [
                ...["--config-file", config, "run", `${options.url}/openapi.json`],
                ...["--tls-verify", options.caFile, "--include-path-regex", options.paths],
                ...["--seed", String(options.seed), "--max-examples", String(options.maxExamples)],
                ...["--phases", "examples,coverage,fuzzing", "--continue-on-failure"],
                ...["--checks", checks.join(","), "--warnings", "off", "--no-color"],
                ...["--request-timeout", "60", "--suppress-health-check", "all"],
                ...[
                    "--generation-database",
                    "none",
                    "--generation-with-security-parameters",
                    "false",
                ],
            ],
            { cwd: folder, maxBuffer: 64 * 1024 * 1024, env: { PATH: process.env["PATH"] } },
        ).catch((error: { stdout?: string; stderr?: string }) => {
            throw new Error(
                `Schemathesis found faults:\n${error.stdout ?? ""}${error.stderr ?? ""}`,
            );
        });
        return stdout;
    } finally {
        await rm(folder, { recursive: true });
    }
}

/** An answer of the server is documented: its status, type and body. */
const checks = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
];
