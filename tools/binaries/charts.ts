import { readdir } from "node:fs/promises";
import * as path from "node:path";

import { defaultVersions } from "#nodes/versions";

import { runCommand } from "../engine/command";
import type { Report } from "../engine/engine";
import { binary, ensureBinaries, moduleFolder, toolDigest } from "./build";
import type { ToolName } from "./catalog";
import { digestOf, ensurePart, partFolder, sourceOf } from "./store";

/** A Helm chart that lies in the Go module a tool is built from. */
export interface Chart {
    readonly name: string;
    readonly version: string;
    readonly from: { readonly tool: ToolName; readonly module: string; readonly folder: string };
    /** Upstream's chart repository, without `https://`. */
    readonly repository: string;
    /** Where the chart also lies in upstream's container registry, when it does. */
    readonly ociFolder?: string;
}

/** A chart as an archive. */
export interface PackedChart extends Chart {
    readonly file: string;
}

/** Cilium's. */
export const ciliumChart: Chart = {
    name: "cilium",
    version: defaultVersions.cilium.replace(/^v/, ""),
    from: {
        tool: "cilium",
        module: "github.com/cilium/cilium",
        folder: "install/kubernetes/cilium",
    },
    repository: "helm.cilium.io",
    ociFolder: "cilium/charts",
};

/** metrics-server's; this release of it has an image of its own, newer than its chart: set `image.tag`. */
export const metricsServerChart: Chart = {
    name: "metrics-server",
    version: "3.12.2",
    from: {
        tool: "metrics-server",
        module: "sigs.k8s.io/metrics-server",
        folder: "charts/metrics-server",
    },
    repository: "kubernetes-sigs.github.io/metrics-server",
};

const packageTimeoutMs = 60_000;

/** Packs a chart, unless the cache has it. */
export async function ensureChart(chart: Chart, report: Report): Promise<PackedChart> {
    const part = {
        name: `chart-${chart.name}-${chart.version}`,
        digest: digestOf(chart, toolDigest("helm"), sourceOf("charts")),
        async make(folder: string) {
            await ensureBinaries(["helm"], report);
            const { tool, module, folder: source } = chart.from;
            await runCommand({
                file: binary("helm"),
                args: [
                    ...["package", path.join(await moduleFolder(tool, module), source)],
                    ...["--destination", folder],
                ],
                timeoutMs: packageTimeoutMs,
            });
            await checkName(chart, folder);
        },
    };
    await ensurePart(part, report);
    return { ...chart, file: path.join(partFolder(part), fileName(chart)) };
}

const fileName = ({ name, version }: Chart): string => `${name}-${version}.tgz`;

/** The chart says its name and version itself. */
async function checkName(chart: Chart, folder: string): Promise<void> {
    const names = await readdir(folder);
    if (!names.includes(fileName(chart))) {
        throw new Error(`the chart is ${names.join(", ")}, expected ${fileName(chart)}`);
    }
}
