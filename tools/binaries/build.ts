import { readFileSync } from "node:fs";
import { rename } from "node:fs/promises";
import * as path from "node:path";

import { runCommand } from "../engine/command";
import type { Report } from "../engine/engine";
import { REPOSITORY } from "../engine/repository";
import { type GoTool, goTool, pause, type ToolName, toolOf } from "./catalog";
import { digestOf, ensurePart, type Part, partFolder } from "./store";

const buildTimeoutMs = 60 * 60_000;
const downloadTimeoutMs = 10 * 60_000;

/** Machine time goes first to what runs beside a build. */
const NICE = ["-n", "10"] as const;

const GO_ENVIRONMENT = { GOWORK: "off", GOFLAGS: "-buildvcs=false" } as const;

/**
 * Builds what is missing of some tools, one after another: Go itself uses every core.
 *
 * @throws when a build fails; the message has the end of its output
 */
export async function ensureBinaries(names: readonly ToolName[], report: Report): Promise<void> {
    for (const name of new Set(names)) {
        await ensurePart(partOf(name), report);
    }
}

/** Path of a built program, as {@link ensureBinaries} places it. @throws when no tool has it */
export function binary(program: string): string {
    return path.join(partFolder(partOf(toolOf(program))), program);
}

/** Names a tool, its version and everything it is built from; changes when the binaries may. */
export function toolDigest(name: ToolName): string {
    return path.basename(partFolder(partOf(name)));
}

/** Folder with the source of a module that a tool is built from, downloaded when it is not there. */
export async function moduleFolder(tool: string, module: string): Promise<string> {
    const printed = await runCommand({
        file: "go",
        args: ["mod", "download", "-json", module],
        cwd: moduleOf(tool),
        env: GO_ENVIRONMENT,
        timeoutMs: downloadTimeoutMs,
    });
    return (JSON.parse(printed) as { Dir: string }).Dir;
}

function partOf(name: ToolName): Part {
    return name === pause.name ? pausePart() : goPart(goTool(name));
}

function goPart(tool: GoTool): Part {
    const pins = ["go.mod", "go.sum"].map((file) =>
        readFileSync(path.join(moduleOf(tool.name), file), "utf8"),
    );
    return {
        name: `${tool.name}-${tool.version}`,
        digest: digestOf(pins, goArguments(tool), tool.cgo ?? false, tool.programs),
        make: (folder) => buildGo(tool, folder),
    };
}

async function buildGo(tool: GoTool, folder: string): Promise<void> {
    const programs = Object.entries(tool.programs);
    const sources = programs.map(([, source]) => source);
    const args = [...goArguments(tool), "-o", `${folder}${path.sep}`, ...sources];
    await goBuild(moduleOf(tool.name), args, tool.cgo);
    for (const [program, source] of programs) {
        const built = path.join(folder, defaultName(source));
        await rename(built, path.join(folder, program));
    }
}

/** Runs `go build` in a module's folder. @throws when it fails */
export async function goBuild(cwd: string, args: readonly string[], cgo = false): Promise<void> {
    await runCommand({
        file: "nice",
        args: [...NICE, "go", "build", ...args],
        cwd,
        env: { ...GO_ENVIRONMENT, CGO_ENABLED: cgo ? "1" : "0" },
        timeoutMs: buildTimeoutMs,
    });
}

function goArguments(tool: GoTool): string[] {
    return [
        "-trimpath",
        ...["-tags", (tool.tags ?? []).join(",")],
        ...["-ldflags", ["-s -w", ...(tool.ldflags ?? [])].join(" ")],
    ];
}

/** What Go calls the program of a package: its last part that is no major version. */
function defaultName(source: string): string {
    return source.split("/").findLast((part) => !/^v\d+$/.test(part)) ?? source;
}

function pausePart(): Part {
    const { name, version, from, source, flags } = pause;
    return {
        name: `${name}-${version}`,
        digest: digestOf(goTool(from.tool).version, source, flags),
        async make(folder) {
            const sources = await moduleFolder(from.tool, from.module);
            await runCommand({
                file: "gcc",
                args: [...flags, "-s", "-o", path.join(folder, name), path.join(sources, source)],
                timeoutMs: buildTimeoutMs,
            });
        },
    };
}

/** Folder of the module that pins what a tool is built from. */
export function moduleOf(tool: string): string {
    return path.join(REPOSITORY, "tools", "binaries", tool);
}
