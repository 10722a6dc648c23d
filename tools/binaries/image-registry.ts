import { mkdir, rm } from "node:fs/promises";
import * as path from "node:path";

import { startRegistry } from "excloud-local/registry";

import { runCommand } from "../engine/command";
import type { Report } from "../engine/engine";
import { freePort } from "../free-port";
import { binary, ensureBinaries, toolDigest } from "./build";
import { type ToolName, toolOf } from "./catalog";
import type { PackedChart } from "./charts";
import { fillImageRoot } from "./image-root";
import type { Image } from "./images";
import { writeLayout } from "./oci-layout";
import { digestOf, ensurePart, sourceOf } from "./store";

const pushTimeoutMs = 5 * 60_000;
const LOOPBACK = "127.0.0.1";

/**
 * A registry's storage folder with images and Helm charts under their upstream paths: the image
 * `quay.io/cilium/cilium:v1` is `cilium/cilium:v1` there, as a mirror of several registries has it.
 *
 * @param rootfs the machine image, from which images take Debian's programs
 */
export async function ensureImages(
    images: readonly Image[],
    charts: readonly PackedChart[],
    rootfs: string,
    report: Report,
): Promise<string> {
    const tools = toolsOf(images, charts);
    return await ensurePart(
        {
            name: `registry-of-${images.length}-images`,
            digest: digestOf(
                ...[images, charts, tools.map(toolDigest), path.basename(rootfs)],
                sourceOf("image-registry", "image-root", "debian-files", "oci-layout"),
            ),
            async make(folder) {
                await ensureBinaries(tools, report);
                await pushAll(images, charts, rootfs, folder, report);
            },
        },
        report,
    );
}

function toolsOf(images: readonly Image[], charts: readonly PackedChart[]): ToolName[] {
    const programs = images.flatMap((image) => Object.values(image.programs));
    const pushing = ["registry", "crane", ...charts.map(() => "helm")];
    return [...new Set([...pushing, ...programs].map(toolOf))];
}

async function pushAll(
    images: readonly Image[],
    charts: readonly PackedChart[],
    rootfs: string,
    folder: string,
    report: Report,
): Promise<void> {
    const scratch = path.join(folder, "scratch");
    await mkdir(scratch);
    const port = await freePort();
    const registry = await startRegistry({
        program: binary("registry"),
        storage: folder,
        isReadOnly: false,
        address: LOOPBACK,
        port,
        dir: scratch,
    });
    try {
        for (const image of images) {
            const started = Date.now();
            await pushImage(image, rootfs, `${LOOPBACK}:${port}`, scratch);
            const seconds = ((Date.now() - started) / 1000).toFixed(1);
            report(`binaries: image ${image.name} made in ${seconds} s`);
        }
        for (const chart of charts) {
            await pushChart(chart, `${LOOPBACK}:${port}`);
        }
    } finally {
        await registry.close();
    }
    await rm(scratch, { recursive: true });
}

async function pushImage(
    image: Image,
    rootfs: string,
    registry: string,
    scratch: string,
): Promise<void> {
    const folder = path.join(scratch, "image");
    await mkdir(folder);
    const layout = path.join(folder, "layout");
    await fillImageRoot(image, rootfs, path.join(folder, "root"), folder);
    await writeLayout(path.join(folder, "root"), image, layout);
    await runCommand({
        file: binary("crane"),
        args: ["push", "--insecure", layout, `${registry}/${pathOf(image.name)}`],
        timeoutMs: pushTimeoutMs,
    });
    await rm(folder, { recursive: true });
}

async function pushChart({ file, ociFolder }: PackedChart, registry: string): Promise<void> {
    if (ociFolder === undefined) {
        return;
    }
    await runCommand({
        file: binary("helm"),
        args: ["push", "--plain-http", file, `oci://${registry}/${ociFolder}`],
        timeoutMs: pushTimeoutMs,
    });
}

/** The part of an image's name after its registry. */
function pathOf(name: string): string {
    return name.slice(name.indexOf("/") + 1);
}
