import { generationOf as generationOfManifest, type Manifest } from "../../contract/manifest";
import type { Files } from "../../contract/schemas";

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
export function filesForServer({
    files,
    secretFiles,
}: Pick<FileInputs, "files" | "secretFiles">): Files {
    const joined: Files = {};
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

/** The generation that a manifest amounts to. */
export function generationOf(manifest: FileInputs["manifest"]): string {
    return generationOfManifest(manifestForServer(manifest));
}

/** The digest of each file of a manifest. */
export function digestsIn(manifest: FileInputs["manifest"]): Record<string, string> {
    return Object.fromEntries(
        Object.entries(manifestForServer(manifest)).map(([path, { sha256 }]) => [path, sha256]),
    );
}
