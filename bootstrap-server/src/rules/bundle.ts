import { generationOf, type Manifest, sha256, sortedPaths } from "#contract/manifest";
import type { Files } from "#contract/schemas";

/** Why a node's bundle cannot be taken. */
export interface BundleProblem {
    code:
        | "bootstrap.bundle.generation_mismatch"
        | "bootstrap.bundle.duplicate_path"
        | "bootstrap.bundle.manifest_mismatch"
        | "bootstrap.bundle.incomplete";
    message: string;
}

/** The manifest of files: digests in place of contents. */
export function manifestOf(files: Readonly<Files>): Manifest {
    return Object.fromEntries(
        sortedPaths(files).map((path) => {
            const { content, mode, owner } = files[path] as Files[string];
            return [path, { sha256: sha256(content), mode, owner }];
        }),
    );
}

/**
 * Checks a node's bundle against what is held for it: the files of its pool and the files it comes
 * with. A node can so never be served half of a change, nor a file of another pool.
 * Returns undefined when the bundle can be served.
 */
export function checkBundle(bundle: {
    generation: string;
    manifest: Readonly<Manifest>;
    nodeFiles: Readonly<Manifest>;
    poolFiles: Readonly<Manifest>;
}): BundleProblem | undefined {
    const { generation, manifest, nodeFiles, poolFiles } = bundle;
    const computed = generationOf(manifest);
    if (computed !== generation) {
        return {
            code: "bootstrap.bundle.generation_mismatch",
            message: `the manifest's generation is ${computed}, the request says ${generation}: send the SHA-256 of the manifest's canonical text`,
        };
    }
    const twice = sortedPaths(nodeFiles).filter((path) => poolFiles[path] !== undefined);
    if (twice.length > 0) {
        return {
            code: "bootstrap.bundle.duplicate_path",
            message: `both the pool's files and the node's files hold ${twice.join(", ")}: keep each path in one of them`,
        };
    }
    const unlisted = sortedPaths(nodeFiles).filter((path) => manifest[path] === undefined);
    if (unlisted.length > 0) {
        return {
            code: "bootstrap.bundle.manifest_mismatch",
            message: `the manifest does not list ${unlisted.join(", ")}: it must list every file of the node`,
        };
    }
    const held = { ...poolFiles, ...nodeFiles };
    const missing = sortedPaths(manifest).filter(
        (path) => held[path]?.sha256 !== manifest[path]?.sha256,
    );
    if (missing.length > 0) {
        return {
            code: "bootstrap.bundle.incomplete",
            message: `no content with the manifest's digest is held for ${missing.join(", ")}: put the pool's files first, then the bundle`,
        };
    }
    return undefined;
}
