/** Makes the artifacts of real nodes and prints their folder. */
import { Command } from "commander";

import { ensureArtifacts } from "./index";

new Command("node tools/dist/binaries/main.js")
    .description("Build what real nodes are made of and install; prints its folder")
    .option("--without-cilium", "leave out Cilium, which takes half of the time")
    .action(async ({ withoutCilium = false }: { withoutCilium?: boolean }) => {
        const report = (line: string): void => console.error(line);
        console.log(await ensureArtifacts(report, { cilium: !withoutCilium }));
    })
    .parseAsync()
    .catch((error: unknown) => {
        console.error(error instanceof Error ? error.message : error);
        process.exitCode = 1;
    });
