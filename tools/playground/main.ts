import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Command } from "commander";
import { requireRealNodes } from "excloud-local";

import { ensureArtifacts } from "../binaries";
import { REPOSITORY } from "../engine/repository";
import { folderAt } from "./folder";
import { runOnce } from "./once";
import { artifactsOf, openPlayground, type Playground, setArguments } from "./playground";
import { stopServices } from "./services";
import { printStatus, printSummary } from "./summary";

const folder = folderAt(join(REPOSITORY, ".excloud"));
/** Without a question, and without the stack's outputs: the summary has what a person needs of them. */
const atOnce = ["--yes", "--skip-preview", "--suppress-outputs"];
const ports = { cloud: 7450, server: 7460 };

interface Flags {
    set: string[];
    once?: boolean;
    real?: boolean;
}

const program = new Command("npm start --")
    .enablePositionalOptions()
    .description("A three-node cluster on a local Excloud, made by the real Pulumi engine")
    .option("--once", "up, change, destroy in a folder of its own; checks each step")
    .option("--real", "make the nodes real: systemd, containerd, kubelet; needs root on Linux")
    .option("--set <key=value>", "change an argument of the cluster; `key=` unsets it", collect, [])
    .action((flags: Flags) => (flags.once ? runOnce() : up(flags)));

changing("up", "create the cluster, or bring it to its arguments", up);
changing(
    "preview",
    "show what `up` would change; what it sets is forgotten again",
    async (flags) => {
        const { stack } = await open({ set: [] });
        const before = readFileSync(folder.configFile);
        try {
            await setArguments(stack, flags.set);
            process.exitCode = await stack.show(["preview", "--diff"]);
        } finally {
            writeFileSync(folder.configFile, before);
        }
    },
);
program
    .command("status")
    .description("show each node's phases and health")
    .action(async () => {
        process.exitCode = (await printStatus(await open({ set: [] }))) ? 0 : 1;
    });
program
    .command("destroy")
    .description("delete the cluster and stop the local Excloud")
    .action(async () => {
        const { stack } = await open({ set: [] });
        process.exitCode = await stack.show(["destroy", ...atOnce]);
        if (process.exitCode === 0) {
            await stopServices(folder);
            rmSync(folder.root, { recursive: true, force: true });
            console.log("The cluster is gone and the local Excloud has stopped.");
        }
    });

program.parseAsync().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
});

function changing(name: string, description: string, run: (flags: Flags) => Promise<void>): void {
    program
        .command(name)
        .description(description)
        .option(
            "--set <key=value>",
            "change an argument of the cluster; `key=` unsets it",
            collect,
            [],
        )
        .action(run);
}

function collect(value: string, all: string[]): string[] {
    return [...all, value];
}

async function up(flags: Flags): Promise<void> {
    const playground = await open(flags);
    process.exitCode = await playground.stack.show(["up", ...atOnce]);
    if (process.exitCode === 0) {
        await printSummary(playground);
    }
}

async function open({ set, real }: Flags): Promise<Playground> {
    const artifacts = real ? await artifactsForRealNodes() : undefined;
    const playground = await openPlayground(folder, {
        ports,
        ...(artifacts === undefined ? {} : { artifacts }),
    });
    const { services } = playground;
    console.log(
        `local Excloud: ${services.computeUrl}, bootstrap server: ${services.bootstrapUrl}`,
    );
    await setArguments(playground.stack, set);
    return playground;
}

/** @throws Error when the playground has simulated nodes already, or this machine cannot have real ones */
async function artifactsForRealNodes(): Promise<string> {
    if (existsSync(folder.configFile) && artifactsOf(folder) === undefined) {
        throw new Error(
            "There is a cluster with simulated nodes. End it with `npm start -- destroy` first.",
        );
    }
    requireRealNodes();
    return artifactsOf(folder) ?? (await ensureArtifacts((line) => console.error(line)));
}
