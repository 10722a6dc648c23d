import { createHash } from "node:crypto";

/** What a manifest says of one file. */
export interface ManifestEntry {
    /** SHA-256 of the content's UTF-8 bytes, lower-case hex. */
    sha256: string;
    /** Four octal digits, such as `0600`. */
    mode: string;
    /** `user:group`. */
    owner: string;
}

/** All files of one node, by absolute path. */
export type Manifest = Readonly<Record<string, ManifestEntry>>;

/** SHA-256 of a text's UTF-8 bytes, lower-case hex. */
export function sha256(text: string): string {
    return createHash("sha256").update(text, "utf8").digest("hex");
}

/**
 * The one text form of a manifest: paths sorted by code unit, a line each, fields parted by tabs.
 * The bootstrap server computes the same text, so a change here is a change of the protocol.
 */
export function canonicalManifest(manifest: Manifest): string {
    return Object.entries(manifest)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([path, file]) => `${path}\t${file.sha256}\t${file.mode}\t${file.owner}\n`)
        .join("");
}

/** A node's generation: the SHA-256 of its manifest. */
export function generationOf(manifest: Manifest): string {
    return sha256(canonicalManifest(manifest));
}
