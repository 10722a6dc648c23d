import { createHash } from "node:crypto";

import type { Manifest } from "../bootstrap/operations";

/** Contents by absolute path, apart because the engine keeps a secret map's values encrypted. */
export interface FileContents {
    /** Files that may be shown in a preview. */
    files: Record<string, string>;
    /** Files that hold keys. */
    secretFiles: Record<string, string>;
}

/**
 * Joins contents with the mode and owner that the manifest gives them, as the bootstrap server takes them.
 *
 * @throws Error when a path is in both maps, or not in the manifest
 */
export function filesForServer(
    { files, secretFiles }: FileContents,
    manifest: Manifest,
): Record<string, { content: string; mode: string; owner: string }> {
    const contents = [...Object.entries(files), ...Object.entries(secretFiles)];
    const joined: ReturnType<typeof filesForServer> = {};
    for (const [path, content] of contents) {
        const entry = manifest[path];
        if (entry === undefined || path in joined) {
            throw new Error(
                `file ${path} is ${entry === undefined ? "not in the manifest" : "given twice"}`,
            );
        }
        joined[path] = { content, mode: entry.mode, owner: entry.owner };
    }
    return joined;
}

/**
 * A node's generation: the SHA-256 of its manifest in the canonical form, a line for each file in the
 * order of their paths. The bootstrap server computes the same.
 */
export function generationOf(manifest: Manifest): string {
    return digestOfLines(manifest, ({ sha256, mode, owner }) => `${sha256}\t${mode}\t${owner}`);
}

/** One digest for many files, from the digest of each. */
export function digestOf(digests: Readonly<Record<string, string>>): string {
    return digestOfLines(digests, (sha256) => sha256);
}

/** The digest of each file of a manifest. */
export function digestsIn(manifest: Manifest): Record<string, string> {
    return Object.fromEntries(Object.entries(manifest).map(([path, { sha256 }]) => [path, sha256]));
}

function digestOfLines<T>(byPath: Readonly<Record<string, T>>, line: (value: T) => string): string {
    const hash = createHash("sha256");
    for (const [path, value] of Object.entries(byPath).sort(([a], [b]) => (a < b ? -1 : 1))) {
        hash.update(`${path}\t${line(value)}\n`);
    }
    return hash.digest("hex");
}
