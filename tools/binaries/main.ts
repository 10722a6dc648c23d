/** Makes the artifacts of real nodes and prints their folder. */
import { Command } from "commander";
import { ensureArtifacts, ensureKubernetesPlugin } from "./index";

new Command("node tools/dist/binaries/main.js")
    .description("Build what real nodes are made of and install; prints its folder")
    .option("--without-cilium", "leave out Cilium, which takes half of the time")
    .option(
        "--for-tests",
        "also what only tests use: Kubernetes of the minor before, Pulumi's kubernetes plugin",
    )
    .action(async (flags: { withoutCilium?: boolean; forTests?: boolean }) => {
        const report = (line: string): void => console.error(line);
        const { withoutCilium = false, forTests = false } = flags;
        console.log(await ensureArtifacts(report, { cilium: !withoutCilium, former: forTests }));
        if (forTests) {
            await ensureKubernetesPlugin(report);
        }
    })
    .parseAsync()
    .catch((error: unknown) => {
        console.error(error instanceof Error ? error.message : error);
        process.exitCode = 1;
    });
