#!/usr/bin/env node
import { Command } from "commander";
import { deleteCluster, listClusters } from "./commands/clusters";
import { serve } from "./commands/serve";
import { StartupError } from "./errors";

const program = new Command("excloud-k8s-bootstrap").description(
    "Guards and serves the bootstrap bundles of excloud-k8s clusters",
);

/** A command that asks the server which runs on a data folder. */
const asking = (parent: Command, name: string) =>
    parent
        .command(name)
        .option("--data-dir <folder>", "data folder of the running server", "./bootstrap-data");

program
    .command("serve")
    .description("serve over HTTPS until SIGTERM; configured by the environment")
    .option("--listen <host:port>", "where to listen", "127.0.0.1:8443")
    .option("--data-dir <folder>", "TLS files, keys, embedded database", "./bootstrap-data")
    .option("--host <name...>", "further host names and addresses of the certificate", [])
    .option("--ready-file <file>", "written as JSON when the server listens")
    .action(serve);

const clusters = program.command("clusters").description("the clusters a running server knows");
asking(clusters, "list").description("list them").action(listClusters);
asking(clusters, "delete <id>")
    .description("delete what is left of a cluster whose VMs are gone")
    .option("--force", "also while its nodes report")
    .action(deleteCluster);

program.parseAsync().then(
    () => process.exit(0),
    (error: unknown) => {
        console.error(error instanceof StartupError ? error.message : error);
        process.exit(1);
    },
);
