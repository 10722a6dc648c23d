import { mkdir, symlink, writeFile } from "node:fs/promises";
import * as path from "node:path";

import type { Report } from "../engine/engine";
import { binary, ensureBinaries, toolDigest } from "./build";
import { goTool, goTools, pause, type ToolName } from "./catalog";
import { ciliumChart, ensureChart, metricsServerChart, type PackedChart } from "./charts";
import { ensureImages } from "./image-registry";
import { ciliumImages, clusterImages, formerImages } from "./images";
import { ensureMirror } from "./mirror";
import { architecture, ensureRequirements } from "./requirements";
import { ensureRootfs } from "./rootfs";
import { digestOf, ensurePart, removeUnusedParts, sourceOf } from "./store";

export { binary, ensureBinaries } from "./build";
export { ensureKubernetesPlugin, kubernetesPlugin } from "./kubernetes-plugin";
export { installPackages } from "./requirements";

/** Which artifacts are wanted. */
export interface ArtifactOptions {
    /**
     * Cilium's images and chart too; default true. A cluster with another network does not need them,
     * and they take as long to build as all the rest.
     */
    readonly cilium?: boolean;
    /** Kubernetes of the minor before, to upgrade from; default false. */
    readonly former?: boolean;
}

/** What `manifest.json` in the folder of the artifacts says. */
export interface ArtifactManifest {
    readonly architecture: string;
    /** Version of each tool in `bin`, and of what is in images only. */
    readonly versions: Readonly<Record<string, string>>;
    /** Upstream names of the images in `registry`, where they lie without their registry's name. */
    readonly images: readonly string[];
    /** Helm charts, as `repository/file` in `mirror`. */
    readonly charts: readonly string[];
}

/**
 * Makes everything that real nodes are made of and install, unless the cache has it:
 *
 * - `rootfs/`: root file system of a machine,
 * - `mirror/`: what nodes download, at upstream's paths,
 * - `registry/`: storage of a container registry with upstream's images,
 * - `bin/`: each program that was built, for use on this machine,
 * - `manifest.json`: an {@link ArtifactManifest}.
 *
 * Needs Linux, root, Go and gcc, and the Go module proxy and Debian's packages the first time.
 *
 * @param report receives a line for each step that takes time
 * @returns the folder, which is never changed once it is there
 * @throws when something is missing or a build fails
 */
export async function ensureArtifacts(
    report: Report,
    { cilium = true, former = false }: ArtifactOptions = {},
): Promise<string> {
    await ensureRequirements(report);
    const tools = toolNames({ cilium, former });
    const images = [
        ...clusterImages,
        ...(cilium ? ciliumImages : []),
        ...(former ? formerImages : []),
    ];
    const rootfs = await ensureRootfs(report);
    await ensureBinaries(tools, report);
    const charts: PackedChart[] = [];
    for (const chart of [metricsServerChart, ...(cilium ? [ciliumChart] : [])]) {
        charts.push(await ensureChart(chart, report));
    }
    const mirror = await ensureMirror(charts, former, report);
    const registry = await ensureImages(images, charts, rootfs, report);
    const parts = { rootfs, mirror, registry };
    const manifest: ArtifactManifest = {
        architecture: architecture(),
        versions: Object.fromEntries(tools.map((name) => [name, versionOf(name)])),
        images: images.map(({ name }) => name),
        charts: charts.map(({ repository, file }) => `${repository}/${path.basename(file)}`),
    };
    const artifacts = await ensurePart(
        {
            name: cilium ? "artifacts" : "artifacts-without-cilium",
            digest: digestOf(parts, manifest, tools.map(toolDigest), sourceOf("index")),
            async make(folder) {
                for (const [name, target] of Object.entries(parts)) {
                    await symlink(target, path.join(folder, name));
                }
                await linkPrograms(tools, path.join(folder, "bin"));
                const text = `${JSON.stringify(manifest, null, 4)}\n`;
                await writeFile(path.join(folder, "manifest.json"), text);
            },
        },
        report,
    );
    await removeUnusedParts(report);
    return artifacts;
}

function toolNames({ cilium, former }: Required<ArtifactOptions>): ToolName[] {
    const all: ToolName[] = [...goTools.map(({ name }) => name), pause.name];
    const unwanted = [...(cilium ? [] : ["cilium"]), ...(former ? [] : ["kubernetes-former"])];
    return all.filter((name) => !unwanted.includes(name));
}

function versionOf(name: ToolName): string {
    return name === pause.name ? pause.version : goTool(name).version;
}

async function linkPrograms(tools: readonly ToolName[], folder: string): Promise<void> {
    await mkdir(folder);
    for (const tool of tools) {
        const programs = tool === pause.name ? [pause.name] : Object.keys(goTool(tool).programs);
        for (const program of programs) {
            await symlink(binary(program), path.join(folder, program));
        }
    }
}
