import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";

import { Command } from "commander";

import { type ArtifactManifest, ensureArtifacts } from "../../../tools/dist/binaries";
import { folderAt } from "../../../tools/dist/playground/folder";
import { openPlayground } from "../../../tools/dist/playground/playground";
import { stopServices } from "../../../tools/dist/playground/services";
import { parseRepeats } from "../arguments";
import { artifactsToBake, bake } from "./baked-image";
import { Cloud } from "./cloud";
import { type Boot, kubeadm, ours } from "./contestants";
import { renderBoots } from "./report";

new Command("npm run bench:boot --")
    .description("Boot of a cluster of one node, against `kubeadm init` on the same kind of node")
    .option("--repeats <n>", "boots of each, in turn", parseRepeats, 5)
    .action(async ({ repeats }: { repeats: number }) => {
        const before = loadavg();
        const boots = await measure(repeats);
        const loads = [before, loadavg()].map((of) => of.map((one) => one.toFixed(1)).join(" "));
        console.log(
            [
                `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores, Node.js ${process.version}`,
                `load average before ${loads[0]}, after ${loads[1]}; ${repeats} boots of each, in turn`,
                "",
                renderBoots(boots),
            ].join("\n"),
        );
    })
    .parseAsync()
    .catch((error: unknown) => {
        console.error(error instanceof Error ? error.message : error);
        process.exitCode = 1;
    });

/** Boots each contestant in turn, as often as asked for; all boots by the contestant's name. */
async function measure(repeats: number): Promise<Record<string, Boot[]>> {
    const root = mkdtempSync(join(tmpdir(), "bench-boot-"));
    const folder = folderAt(join(root, "playground"));
    const remove = async () => {
        await stopServices(folder);
        rmSync(root, { recursive: true, force: true });
    };
    // The services are processes of their own, which an interrupt does not reach.
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
        process.once(signal, () => void remove().finally(() => process.exit(1)));
    }
    try {
        const made = await ensureArtifacts((line) => console.error(line));
        const artifacts = artifactsToBake(made, join(root, "artifacts"));
        const playground = await openPlayground(folder, {
            ports: { server: 0 },
            artifacts,
            arguments: { controlPlaneCount: 1, podNetwork: "bridge" },
        });
        const cloud = new Cloud(playground);
        const { images } = JSON.parse(
            readFileSync(join(artifacts, "manifest.json"), "utf8"),
        ) as ArtifactManifest;
        progress("baking the image of all nodes");
        await bake(cloud, folder, artifacts, mirrorsOf(playground.services), wanted(images));
        const contestants = [
            ours(cloud, playground),
            kubeadm(cloud, playground, "at once"),
            kubeadm(cloud, playground, "after kube-proxy"),
        ];
        const boots: Record<string, Boot[]> = {};
        for (let repeat = 1; repeat <= repeats; repeat += 1) {
            for (const { name, boot } of contestants) {
                const one = await boot();
                (boots[name] ??= []).push(one);
                progress(
                    `${repeat}/${repeats} ${name}: API ready after ${one.reached["API ready"].toFixed(1)} s, ` +
                        `all addons after ${one.reached["all addons ready"].toFixed(1)} s`,
                );
            }
        }
        return boots;
    } finally {
        await remove();
    }
}

/** Images that neither contestant runs would only make the disk larger. */
const wanted = (images: readonly string[]): string[] =>
    images.filter((name) => !/cilium|metrics-server|agnhost/.test(name));

function mirrorsOf({ real }: { real: { mirrors: Record<string, string> } | undefined }) {
    const { binaries = "", images = "", charts = "" } = real?.mirrors ?? {};
    return { binaries, images, charts, packages: "" };
}

function progress(line: string): void {
    console.error(`bench: ${line}`);
}
