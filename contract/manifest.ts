import { createHash } from "node:crypto";

import type { Role } from "./roles";

/** One file of a node: the SHA-256 (hex) of its content, and how it is on disk. */
export interface ManifestEntry {
    sha256: string;
    /** Octal, `0600`. */
    mode: string;
    /** `user:group`. */
    owner: string;
}

/** Every file of a node by its absolute path. */
export type Manifest = Record<string, ManifestEntry>;

/** What a node is told of a control plane of its cluster. */
export interface Peer {
    name: string;
    address: string;
    role: Role;
}

/** The SHA-256 of a text in hex. */
export function sha256(text: string): string {
    return createHash("sha256").update(text, "utf8").digest("hex");
}

/** The paths of a map in code-unit order: the order of everything that is hashed. */
export function sortedPaths(map: Readonly<Record<string, unknown>>): string[] {
    return Object.keys(map).sort();
}

/** The canonical text of a manifest: one line per path, `path TAB sha256 TAB mode TAB owner LF`. */
export function canonicalManifest(manifest: Readonly<Manifest>): string {
    return sortedPaths(manifest)
        .map((path) => {
            const entry = manifest[path] as ManifestEntry;
            return `${path}\t${entry.sha256}\t${entry.mode}\t${entry.owner}\n`;
        })
        .join("");
}

/** The generation of a node: the SHA-256 of its manifest's canonical text. */
export function generationOf(manifest: Readonly<Manifest>): string {
    return sha256(canonicalManifest(manifest));
}

/** Peers in the order in which they are served and hashed: by name, by code unit. */
export function sortPeers(peers: readonly Peer[]): Peer[] {
    return [...peers].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/**
 * The revision of what a node is served: the SHA-256 of the generation, LF, and the peers as JSON with sorted
 * keys and no white space. It is the ETag of the agent's conditional GET, so a node hears of a new peer
 * although none of its own files changed.
 */
export function revisionOf(generation: string, peers: readonly Peer[]): string {
    const canonical = sortPeers(peers).map(({ address, name, role }) => ({ address, name, role }));
    return sha256(`${generation}\n${JSON.stringify(canonical)}`);
}
