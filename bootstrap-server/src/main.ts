#!/usr/bin/env node
import { Command } from "commander";
import { readConfig, type ServeFlags } from "./config";
import { writeAtomically } from "./data-dir";
import { StartupError } from "./errors";
import { startServer } from "./server";

/** How long /health says "draining" before the listener closes, so that a balancer notices. */
const drainMilliseconds = 5000;

const signals = ["SIGTERM", "SIGINT"] as const;

/** Resolves at the first signal to end; a second one ends the process at once. */
function untilSignal(): Promise<NodeJS.Signals> {
    return new Promise((resolve) => {
        for (const signal of signals) process.once(signal, resolve);
    });
}

async function serve(flags: ServeFlags & { readyFile?: string }): Promise<void> {
    const stopped = untilSignal();
    const server = await startServer(readConfig(flags, process.env));
    const { url, caFile, tokenFile } = server;
    console.log(`listening on ${url}`);
    console.log(`certificate authority: ${caFile}`);
    console.log(`operator token: ${tokenFile ?? "from EXCLOUD_BOOTSTRAP_TOKEN"}`);
    if (flags.readyFile !== undefined) {
        const ready = { url, caFile, tokenFile: tokenFile ?? null, pid: process.pid };
        await writeAtomically(flags.readyFile, `${JSON.stringify(ready)}\n`, 0o600);
    }
    const signal = await stopped;
    console.log(`${signal}: draining`);
    await server.close(drainMilliseconds);
}

const program = new Command("excloud-k8s-bootstrap").description(
    "Guards and serves the bootstrap bundles of excloud-k8s clusters",
);
program
    .command("serve")
    .description("serve over HTTPS until SIGTERM; configured by the environment")
    .option("--listen <host:port>", "where to listen", "127.0.0.1:8443")
    .option("--data-dir <folder>", "TLS files, keys, embedded database", "./bootstrap-data")
    .option("--host <name...>", "further host names and addresses of the certificate", [])
    .option("--ready-file <file>", "written as JSON when the server listens")
    .action(serve);

program.parseAsync().then(
    () => process.exit(0),
    (error: unknown) => {
        console.error(error instanceof StartupError ? error.message : error);
        process.exit(1);
    },
);
