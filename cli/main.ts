#!/usr/bin/env node
import { resolve } from "node:path";
import { createInterface } from "node:readline/promises";

import { Command } from "commander";

import { MissingSettingError } from "../provider/credentials";
import { ApiError } from "../provider/errors";
import { doctor } from "./doctor/doctor";
import { CommandError, pulumiIn } from "./pulumi";
import { status, type StatusFlags } from "./status";
import { unlock } from "./unlock";

/** What every command takes. */
interface Flags {
    stack?: string;
    cwd: string;
}

const program = new Command("excloud-k8s").description("Helps with stacks of excloud-k8s");
command("unlock", "make a stack usable again whose `pulumi up` or `pulumi destroy` was killed")
    .option("--yes", "do not ask")
    .action(({ stack, cwd, yes = false }: Flags & { yes?: boolean }) =>
        unlock(
            pulumiIn(resolve(cwd), stack),
            { say, ask: process.stdin.isTTY ? ask : undefined },
            yes,
        ),
    );
command(
    "status",
    "show how each node of the stack's clusters fares; exit code 1 unless all are ready",
)
    .option("--watch", "show each change until all nodes are ready")
    .option("--json", "print JSON")
    .action(async ({ stack, cwd, ...flags }: Flags & StatusFlags) => {
        mustHold(await status(pulumiIn(resolve(cwd), stack), say, flags));
    });
command("doctor", "check what a cluster needs; exit code 1 when something fails")
    .option("--json", "print JSON")
    .action(async ({ stack, cwd, ...flags }: Flags & { json?: boolean }) => {
        const folder = resolve(cwd);
        mustHold(await doctor(pulumiIn(folder, stack), folder, say, flags));
    });

program.parseAsync().catch((error: unknown) => {
    const isForUser = [CommandError, ApiError, MissingSettingError].some((k) => error instanceof k);
    console.error(isForUser ? (error as Error).message : error);
    process.exitCode = 1;
});

function command(name: string, description: string): Command {
    return program
        .command(name)
        .description(description)
        .option("--stack <name>", "the stack; else the selected one")
        .option("--cwd <folder>", "folder of the Pulumi project", ".");
}

function say(line: string): void {
    console.log(line);
}

function mustHold(isWell: boolean): void {
    process.exitCode = isWell ? 0 : 1;
}

async function ask(question: string): Promise<boolean> {
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    try {
        return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
    } finally {
        terminal.close();
    }
}
