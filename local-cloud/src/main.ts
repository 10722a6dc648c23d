#!/usr/bin/env node
import * as path from "node:path";

import { Command, InvalidArgumentError, Option } from "commander";

import { startLocalCloud } from "./cloud";
import type { LocalCloudOptions } from "./options";
import { clusterArguments } from "./real/adjustments";
import { realNetwork } from "./real/network";
import { superviseRealCloud } from "./real/supervise";
import { writeFileAtomic } from "./state/files";

interface ServeFlags {
    readonly dir: string;
    readonly readyFile?: string;
    readonly port?: number;
    readonly artifacts?: string;
    readonly insideNetwork?: number;
}

function parsePort(text: string): number {
    const port = Number(text);
    // Four ports in a row are used.
    if (!Number.isInteger(port) || port < 1 || port > 65532) {
        throw new InvalidArgumentError("expected a port from 1 to 65532");
    }
    return port;
}

const portsFrom = (first: number): NonNullable<LocalCloudOptions["ports"]> => ({
    compute: first,
    dns: first + 1,
    iam: first + 2,
    imds: first + 3,
});

async function serve(flags: ServeFlags): Promise<void> {
    const { artifacts, insideNetwork: network } = flags;
    if (artifacts !== undefined && network === undefined) {
        process.exitCode = await superviseRealCloud(path.resolve(flags.dir), (index) => [
            ...([process.execPath, ...process.argv.slice(1)] as const),
            "--inside-network",
            String(index),
        ]);
        return;
    }
    const cloud = await startLocalCloud({
        dir: flags.dir,
        ...(flags.port === undefined ? {} : { ports: portsFrom(flags.port) }),
        ...(artifacts === undefined || network === undefined
            ? {}
            : { nodes: { artifacts, network } }),
    });
    const ready = {
        computeUrl: cloud.computeUrl,
        dnsUrl: cloud.dnsUrl,
        iamUrl: cloud.iamUrl,
        imdsUrl: cloud.imdsUrl,
        apiKeyFile: cloud.apiKeyFile,
        // With real nodes the process to end is the one above, which removes their network.
        pid: network === undefined ? process.pid : process.ppid,
        ...(network === undefined
            ? {}
            : { network: realNetwork(network), mirrors: cloud.mirrors, clusterArguments }),
    };
    if (flags.readyFile !== undefined) {
        writeFileAtomic(flags.readyFile, `${JSON.stringify(ready, null, 2)}\n`);
    }
    console.log(
        network === undefined
            ? "The local cloud serves. Its nodes are simulations: no kubelet runs."
            : "The local cloud serves. Its nodes are real: systemd in namespaces.",
    );
    console.log(JSON.stringify(ready, null, 2));
    let stopping = false;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
        process.on(signal, () => {
            if (stopping) {
                return;
            }
            stopping = true;
            void cloud.close().then(() => process.exit(0));
        });
    }
}

const program = new Command("excloud-local").description(
    "Excloud on one machine: computeapi, DNS, IAM and IMDS, with simulated or real nodes",
);
program
    .command("serve")
    .description("serve until SIGTERM")
    .requiredOption("--dir <dir>", "folder that holds the cloud's state")
    .option("--ready-file <file>", "file to write, as JSON, once everything listens")
    .option(
        "--port <n>",
        "first of four ports: compute, DNS, IAM, IMDS (default: free ones)",
        parsePort,
    )
    .option("--artifacts <folder>", "make the nodes real, from this folder; needs root on Linux")
    .addOption(new Option("--inside-network <n>").argParser(Number).hideHelp())
    .action(serve);

program.parseAsync().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
});
