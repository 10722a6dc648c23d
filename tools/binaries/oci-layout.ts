import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import * as path from "node:path";

import { runCommand } from "../engine/command";
import { architecture } from "./requirements";

/** What an image says about how it is run. */
export interface ImageConfig {
    readonly entrypoint?: readonly string[];
    readonly command?: readonly string[];
    /** Numeric `uid:gid`; root when left out. */
    readonly user?: string;
    readonly env?: readonly string[];
    readonly workingDir?: string;
}

/** A blob as a manifest names it. */
interface Descriptor {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
}

const MEDIA = {
    // Not compressed: packing and unpacking cost more than the copy, which stays on this machine.
    layer: "application/vnd.oci.image.layer.v1.tar",
    config: "application/vnd.oci.image.config.v1+json",
    manifest: "application/vnd.oci.image.manifest.v1+json",
    index: "application/vnd.oci.image.index.v1+json",
} as const;

const tarTimeoutMs = 5 * 60_000;

/** The same files give the same archive. */
export const TAR_FLAGS = [
    "--sort=name",
    "--mtime=@0",
    "--numeric-owner",
    "--owner=0",
    "--group=0",
] as const;

/**
 * Writes an image of one layer as an OCI layout, a folder that `crane push` takes.
 *
 * @param root folder with the image's files
 */
export async function writeLayout(
    root: string,
    config: ImageConfig,
    layout: string,
): Promise<void> {
    const blobs = path.join(layout, "blobs", "sha256");
    await mkdir(blobs, { recursive: true });
    const layer = await layerBlob(root, blobs);
    const configBlob = await jsonBlob(blobs, MEDIA.config, imageConfig(config, layer.digest));
    const manifest = await jsonBlob(blobs, MEDIA.manifest, {
        schemaVersion: 2,
        mediaType: MEDIA.manifest,
        config: configBlob,
        layers: [layer],
    });
    const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests: [manifest] };
    await writeFile(path.join(layout, "index.json"), JSON.stringify(index));
    await writeFile(path.join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
}

function imageConfig(config: ImageConfig, layer: string): unknown {
    const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    return {
        architecture: architecture(),
        os: "linux",
        config: {
            Entrypoint: config.entrypoint,
            Cmd: config.command,
            User: config.user,
            Env: [path, ...(config.env ?? [])],
            WorkingDir: config.workingDir ?? "/",
        },
        rootfs: { type: "layers", diff_ids: [layer] },
    };
}

async function layerBlob(root: string, blobs: string): Promise<Descriptor> {
    const partial = path.join(blobs, "layer");
    await runCommand({
        file: "tar",
        args: [...TAR_FLAGS, "-C", root, "-cf", partial, "."],
        timeoutMs: tarTimeoutMs,
    });
    const digest = await sha256OfFile(partial);
    const blob = path.join(blobs, digest);
    await rename(partial, blob);
    const { size } = await stat(blob);
    return { mediaType: MEDIA.layer, digest: `sha256:${digest}`, size };
}

async function jsonBlob(blobs: string, mediaType: string, content: unknown): Promise<Descriptor> {
    const text = JSON.stringify(content);
    const digest = createHash("sha256").update(text).digest("hex");
    await writeFile(path.join(blobs, digest), text);
    return { mediaType, digest: `sha256:${digest}`, size: Buffer.byteLength(text) };
}

/** In hexadecimal. */
export async function sha256OfFile(file: string): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
        hash.update(chunk as Buffer);
    }
    return hash.digest("hex");
}
