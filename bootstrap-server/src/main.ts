#!/usr/bin/env node
import { Command, Option } from "commander";

import { backup, restore } from "./commands/backup";
import { deleteCluster, listClusters } from "./commands/clusters";
import { health } from "./commands/health";
import { rotateKey } from "./commands/rotate-key";
import { serve } from "./commands/serve";
import { createToken, listTokens, revokeToken } from "./commands/tokens";
import { StartupError } from "./errors";
import { settingsHelp } from "./setting-docs";
import { settings } from "./settings";

const program = new Command("excloud-k8s-bootstrap").description(
    "Guards and serves the bootstrap bundles of excloud-k8s clusters",
);

/** A command about a data folder. */
const onFolder = (parent: Command, name: string) =>
    parent
        .command(name)
        .addOption(
            new Option("--data-dir <folder>", "data folder of the server")
                .env(settings.dataDir.environment)
                .default(settings.dataDir.fallback),
        );

program
    .command("serve")
    .description("serve over HTTPS until SIGTERM")
    .option("--config <file>", "settings as YAML")
    .option("--listen <host:port>", "where to listen")
    .option("--data-dir <folder>", "TLS files, keys, embedded database")
    .option("--host <name...>", "further host names and addresses of the certificate")
    .option("--ready-file <file>", "written as JSON when the server listens")
    .addHelpText("after", settingsHelp())
    .action(serve);

onFolder(program, "health")
    .description("end with 0 when the running server takes requests")
    .action(health);

const clusters = program.command("clusters").description("the clusters a running server knows");
onFolder(clusters, "list").description("list them").action(listClusters);
onFolder(clusters, "delete <id>")
    .description("delete what is left of a cluster whose VMs are gone")
    .option("--force", "also while its nodes report")
    .action(deleteCluster);

const token = program.command("token").description("the operators' tokens");
onFolder(token, "create <name>")
    .description("make one and print it: it is kept nowhere")
    .option("--days <number>", "when it expires; without this never")
    .action(createToken);
onFolder(token, "list").description("list their names").action(listTokens);
onFolder(token, "revoke <name>").description("end one, at once and for good").action(revokeToken);

onFolder(program, "rotate-key")
    .description("seal everything with the first encryption key")
    .action(rotateKey);

onFolder(program, "backup <file>")
    .description("save the data folder, with the embedded database; the server may run")
    .action(backup);
onFolder(program, "restore <file>").description("make a data folder of a backup").action(restore);

program.parseAsync().then(
    () => process.exit(0),
    (error: unknown) => {
        console.error(error instanceof StartupError ? error.message : error);
        process.exit(1);
    },
);
