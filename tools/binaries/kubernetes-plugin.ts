import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import * as path from "node:path";

import type { Report } from "../engine/engine";
import { goBuild, moduleFolder, moduleOf } from "./build";
import { digestOf, ensurePart } from "./store";

/**
 * Pulumi's kubernetes plugin, which an application's program needs and whose binary is on its publisher's host
 * only. Built from the newest source that is a Go module, a commit of January 2026 without a version of its
 * own; this is the SDK's release that it serves here.
 */
export const kubernetesPlugin = { name: "kubernetes-plugin", version: "4.25.0" } as const;

const PROGRAM = "pulumi-resource-kubernetes";
const MODULE = "github.com/pulumi/pulumi-kubernetes/provider/v4";
const FLAGS = ["-trimpath", "-ldflags"] as const;
const LINKED = `-s -w -X ${MODULE}/pkg/version.Version=${kubernetesPlugin.version}`;

/** What it embeds, of the folder that upstream builds it in. */
const EMBEDDED = ["schema.json", "terraform-mapping.json"] as const;

/**
 * Builds the plugin unless the cache has it; takes some five minutes on two cores.
 *
 * @returns path of the binary
 * @throws when the build fails; the message has the end of its output
 */
export async function ensureKubernetesPlugin(report: Report): Promise<string> {
    const { name, version } = kubernetesPlugin;
    const sources = ["go.mod", "go.sum", "main.go"].map((file) =>
        readFileSync(path.join(moduleOf(name), file), "utf8"),
    );
    const part = {
        name: `${name}-${version}`,
        digest: digestOf(sources, FLAGS, LINKED, EMBEDDED),
        make: build,
    };
    return path.join(await ensurePart(part, report), PROGRAM);
}

async function build(folder: string): Promise<void> {
    const here = moduleOf(kubernetesPlugin.name);
    const upstream = path.join(await moduleFolder(kubernetesPlugin.name, MODULE), "cmd", PROGRAM);
    const overlay = path.join(folder, "overlay.json");
    const places = EMBEDDED.map((file) => [path.join(here, file), path.join(upstream, file)]);
    await writeFile(overlay, JSON.stringify({ Replace: Object.fromEntries(places) as unknown }));
    const output = path.join(folder, PROGRAM);
    await goBuild(here, [...FLAGS, LINKED, "-overlay", overlay, "-o", output, "."]);
}
