#!/usr/bin/env node
import { Command, InvalidArgumentError } from "commander";

import { startLocalCloud } from "./cloud";
import type { LocalCloudOptions } from "./options";
import { writeFileAtomic } from "./state/files";

interface ServeFlags {
    readonly dir: string;
    readonly readyFile?: string;
    readonly port?: number;
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
    const cloud = await startLocalCloud({
        dir: flags.dir,
        ...(flags.port === undefined ? {} : { ports: portsFrom(flags.port) }),
    });
    const ready = {
        computeUrl: cloud.computeUrl,
        dnsUrl: cloud.dnsUrl,
        iamUrl: cloud.iamUrl,
        imdsUrl: cloud.imdsUrl,
        apiKeyFile: cloud.apiKeyFile,
        pid: process.pid,
    };
    if (flags.readyFile !== undefined) {
        writeFileAtomic(flags.readyFile, `${JSON.stringify(ready, null, 2)}\n`);
    }
    console.log(`The local cloud serves. Its nodes are simulations: no kubelet runs.`);
    console.log(JSON.stringify(ready, null, 2));
    let stopping = false;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
        process.on(signal, () => {
            if (stopping) return;
            stopping = true;
            void cloud.close().then(() => process.exit(0));
        });
    }
}

const program = new Command("excloud-local").description(
    "Excloud on one machine: computeapi, DNS, IAM and IMDS, with simulated nodes",
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
    .action(serve);

program.parseAsync().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
});
