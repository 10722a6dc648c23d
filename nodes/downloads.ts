import type { Versions } from "./versions";

/**
 * One thing the installer downloads. `ARCH` in an address stands for the architecture, `VERSION`
 * for the version and `NUMBER` for the version without its `v`.
 */
export interface Download {
    /** Name of the stamp that says which version a node has. */
    readonly name: string;
    readonly version: keyof Versions;
    /** Address without `https://`: a mirror holds the same paths below its own address. */
    readonly address: string;
    /**
     * Upstream's list or file of SHA-256 digests. It comes from where the program comes from, so it guards
     * against damage and mix-ups, not against an upstream or a mirror that lies.
     */
    readonly checksums: string;
    /** Where it goes: a file name for a plain program, a folder for an archive. */
    readonly target: string;
    /** For an archive: leading path parts to drop, and which members to take (all when empty). */
    readonly archive?: { readonly strip: number; readonly members: readonly string[] };
    /** A file that is there once it is installed. */
    readonly proof: string;
}

/**
 * One row of the installer's table: what the shell needs, addresses still with `ARCH`. The table has two more
 * columns, for digests that we would know ourselves; images of 0.1 were made with it, so it stays as it is.
 */
export interface InstallItem {
    readonly name: string;
    readonly version: string;
    readonly address: string;
    readonly checksums: string;
    readonly target: string;
    readonly strip: string;
    readonly members: string;
    readonly proof: string;
}

/** The installer's row for a download at the chosen version. `-` marks an empty field. */
export function installItem(
    { name, version: of, address, checksums, target, archive, proof }: Download,
    versions: Versions,
): InstallItem {
    const version = versions[of];
    const fill = (text: string) =>
        text.replaceAll("VERSION", version).replaceAll("NUMBER", version.replace(/^v/, ""));
    return {
        name,
        version,
        address: fill(address),
        checksums: fill(checksums),
        target,
        strip: archive === undefined ? "-" : String(archive.strip),
        members: archive?.members.map(fill).join(",") || "-",
        proof,
    };
}
