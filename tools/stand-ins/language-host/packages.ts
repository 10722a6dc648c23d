import { readFileSync, realpathSync } from "node:fs";
import * as path from "node:path";

/** What a `package.json` says that the engine asks for. */
export interface InstalledPackage {
    readonly name: string;
    /** Version without a leading `v`. */
    readonly version: string;
    /** Present when the package is the SDK of a provider plugin. */
    readonly pulumi?: {
        readonly resource?: boolean;
        readonly name?: string;
        readonly version?: string;
    };
}

interface Manifest extends Partial<InstalledPackage> {
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly devDependencies?: Readonly<Record<string, string>>;
}

/**
 * The packages that a program depends on, as installed, each once per version, direct ones first.
 *
 * A dependency that is declared and not installed is left out: the program itself will say so.
 *
 * @param directory folder of the program; its `package.json`, or the nearest above it, is the start
 * @param transitive also the dependencies of dependencies
 */
export function installedPackages(directory: string, transitive: boolean): InstalledPackage[] {
    const root = nearestManifest(directory);
    if (root === undefined) {
        return [];
    }
    const found = new Map<string, InstalledPackage>();
    const waiting = dependencyNames(root.manifest, true).map((name) => ({
        name,
        from: root.folder,
    }));
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const folder = packageFolder(next.name, next.from);
        const manifest = folder === undefined ? undefined : readManifest(folder);
        if (
            folder === undefined ||
            manifest?.name === undefined ||
            manifest.version === undefined
        ) {
            continue;
        }
        const key = `${manifest.name}@${manifest.version}`;
        if (found.has(key)) {
            continue;
        }
        found.set(key, {
            name: manifest.name,
            version: manifest.version,
            ...(manifest.pulumi === undefined ? {} : { pulumi: manifest.pulumi }),
        });
        if (transitive) {
            waiting.push(
                ...dependencyNames(manifest, false).map((name) => ({ name, from: folder })),
            );
        }
    }
    return [...found.values()];
}

function dependencyNames(manifest: Manifest, withDevelopment: boolean): string[] {
    return Object.keys({
        ...manifest.dependencies,
        ...(withDevelopment ? manifest.devDependencies : {}),
    });
}

function nearestManifest(directory: string): { folder: string; manifest: Manifest } | undefined {
    for (const folder of upwards(directory)) {
        const manifest = readManifest(folder);
        if (manifest !== undefined) {
            return { folder, manifest };
        }
    }
    return undefined;
}

/** Links are followed, as Node.js does: a linked workspace has its own packages beside it. */
function packageFolder(name: string, from: string): string | undefined {
    const found = upwards(from)
        .map((folder) => path.join(folder, "node_modules", name))
        .find((folder) => readManifest(folder) !== undefined);
    return found === undefined ? undefined : realpathSync(found);
}

function upwards(directory: string): string[] {
    const parent = path.dirname(directory);
    return parent === directory ? [directory] : [directory, ...upwards(parent)];
}

function readManifest(folder: string): Manifest | undefined {
    try {
        return JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as Manifest;
    } catch {
        return undefined;
    }
}
