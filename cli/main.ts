#!/usr/bin/env node
import { resolve } from "node:path";
import { createInterface } from "node:readline/promises";

import { Command } from "commander";

import { CommandError, pulumiIn } from "./pulumi";
import { unlock } from "./unlock";

interface UnlockFlags {
    stack?: string;
    cwd: string;
    yes?: boolean;
}

const program = new Command("excloud-k8s").description("Helps with stacks of excloud-k8s");
program
    .command("unlock")
    .description("make a stack usable again whose `pulumi up` or `pulumi destroy` was killed")
    .option("--stack <name>", "the stack; else the selected one")
    .option("--cwd <folder>", "folder of the Pulumi project", ".")
    .option("--yes", "do not ask")
    .action(({ stack, cwd, yes = false }: UnlockFlags) =>
        unlock(
            pulumiIn(resolve(cwd), stack),
            { say: (line) => console.log(line), ask: process.stdin.isTTY ? ask : undefined },
            yes,
        ),
    );

program.parseAsync().catch((error: unknown) => {
    console.error(error instanceof CommandError ? error.message : error);
    process.exitCode = 1;
});

async function ask(question: string): Promise<boolean> {
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    try {
        return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
    } finally {
        terminal.close();
    }
}
