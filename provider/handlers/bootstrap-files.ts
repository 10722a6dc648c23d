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

/** The manifest as the server holds it: ours, with the server's digests, and with paths that only it knows. */
export function manifestOfServer(ours: Manifest, digests: Record<string, string>): Manifest {
    return Object.fromEntries(
        Object.entries(digests).map(([path, sha256]) => [
            path,
            { mode: ours[path]?.mode ?? "", owner: ours[path]?.owner ?? "", sha256 },
        ]),
    );
}
