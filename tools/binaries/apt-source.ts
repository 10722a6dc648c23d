import { readdir, readFile } from "node:fs/promises";
import * as path from "node:path";

/** One archive that apt may take packages from. */
export interface AptSource {
    readonly uri: string;
    readonly suites: readonly string[];
    readonly components: readonly string[];
}

/**
 * The archive that this machine takes a Debian release from, so that no host is named here.
 *
 * @param suite code name of the release
 * @param folder apt's configuration
 * @throws when no source of the machine offers that release
 */
export async function aptArchive(suite: string, folder = "/etc/apt"): Promise<string> {
    const sources = await readSources(folder);
    const found = sources.find(
        ({ suites, components }) => suites.includes(suite) && components.includes("main"),
    );
    if (found === undefined) {
        throw new Error(
            `no apt source in ${folder} offers Debian ${suite}, which the machine image is made of; ` +
                `add one, as in /etc/apt/sources.list.d/debian.sources`,
        );
    }
    return found.uri;
}

/** Sources in the order apt reads them: `sources.list`, then `sources.list.d`. */
async function readSources(folder: string): Promise<AptSource[]> {
    const parts = path.join(folder, "sources.list.d");
    const names = (await readdir(parts).catch(() => [])).sort();
    const files = [
        path.join(folder, "sources.list"),
        ...names.map((name) => path.join(parts, name)),
    ];
    const sources: AptSource[] = [];
    for (const file of files) {
        const text = await readFile(file, "utf8").catch(() => "");
        sources.push(...(file.endsWith(".sources") ? parseStanzas(text) : parseLines(text)));
    }
    return sources;
}

/** The format of `*.sources`: stanzas of `Field: value`, a value may go on in indented lines. */
export function parseStanzas(text: string): AptSource[] {
    return text
        .split("\n")
        .filter((line) => !line.startsWith("#"))
        .join("\n")
        .split(/\n\s*\n/)
        .flatMap((stanza) => {
            const fields = new Map(
                [...stanza.matchAll(/^(\S+):((?:.*)(?:\n[ \t].*)*)/gm)].map((match) => [
                    match[1]!.toLowerCase(),
                    match[2]!.split(/\s+/).filter(Boolean),
                ]),
            );
            const isUsed =
                fields.get("types")?.includes("deb") && fields.get("enabled")?.[0] !== "no";
            const suites = fields.get("suites") ?? [];
            const components = fields.get("components") ?? [];
            return isUsed
                ? (fields.get("uris") ?? []).map((uri) => ({ uri, suites, components }))
                : [];
        });
}

/** The format of `*.list`: `deb [options] uri suite component...`. */
export function parseLines(text: string): AptSource[] {
    return [...text.matchAll(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)$/gm)].map((match) => ({
        uri: match[1]!,
        suites: [match[2]!],
        components: match[3]!.split("#")[0]!.split(/\s+/).filter(Boolean),
    }));
}
