import { createHash } from "node:crypto";

import type { Manifest } from "../bootstrap/operations";

/** What a node's files are, apart by who may see them. */
export interface FileInputs {
    /**
     * Files that may be shown in a preview, by absolute path: a line with mode and owner, then the text.
     * The line is for the reader, and it keeps the engine from showing YAML as a tree: a difference of
     * lines is shorter.
     */
    files: Record<string, string>;
    /** Files that hold keys, in the same form. */
    secretFiles: Record<string, string>;
    /** SHA-256 of each secret file: the engine does not show that a secret changed. */
    secretDigests: Record<string, string>;
    /** `<sha256> <mode> <owner>` of files by path. */
    manifest: Record<string, string>;
}

/**
 * Turns inputs into files as the bootstrap server takes them.
 *
 * @throws Error when a path is in both maps, or a file lacks its first line
 */
export function filesForServer({ files, secretFiles }: Pick<FileInputs, "files" | "secretFiles">) {
    const joined: Record<string, { content: string; mode: string; owner: string }> = {};
    for (const [path, file] of [...Object.entries(files), ...Object.entries(secretFiles)]) {
        const [, mode, owner, content] = /^(\d{4}) (\S+)\n(.*)$/s.exec(file) ?? [];
        if (mode === undefined || owner === undefined || content === undefined) {
            throw new Error(`file ${path} does not begin with a line of mode and owner`);
        }
        if (path in joined) {
            throw new Error(`file ${path} is given twice`);
        }
        joined[path] = { content, mode, owner };
    }
    return joined;
}

/**
 * Turns the manifest input into the server's form.
 *
 * @throws Error when an entry is not `<sha256> <mode> <owner>`
 */
export function manifestForServer(manifest: FileInputs["manifest"]): Manifest {
    return Object.fromEntries(
        Object.entries(manifest).map(([path, entry]) => {
            const [sha256, mode, owner] = entry.split(" ");
            if (sha256 === undefined || mode === undefined || owner === undefined) {
                throw new Error(`the manifest's entry of ${path} is ${JSON.stringify(entry)}`);
            }
            return [path, { sha256, mode, owner }];
        }),
    );
}

/**
 * A node's generation: the SHA-256 of its manifest in the canonical form, a line for each file in the
 * order of their paths. The bootstrap server computes the same.
 */
export function generationOf(manifest: FileInputs["manifest"]): string {
    return digestOf(
        Object.fromEntries(
            Object.entries(manifest).map(([path, entry]) => [path, entry.replaceAll(" ", "\t")]),
        ),
    );
}

/** One digest for many files, from a line about each. */
export function digestOf(lines: Readonly<Record<string, string>>): string {
    const hash = createHash("sha256");
    for (const [path, line] of Object.entries(lines).sort(([a], [b]) => (a < b ? -1 : 1))) {
        hash.update(`${path}\t${line}\n`);
    }
    return hash.digest("hex");
}

/** The digest of each file of a manifest. */
export function digestsIn(manifest: FileInputs["manifest"]): Record<string, string> {
    return Object.fromEntries(
        Object.entries(manifestForServer(manifest)).map(([path, { sha256 }]) => [path, sha256]),
    );
}
