import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import * as path from "node:path";

import type { Report } from "../engine/engine";
import { withLock } from "../engine/lock";
import { cacheFolder, REPOSITORY } from "../engine/repository";

/** A folder of the cache that is made once from what its digest covers. */
export interface Part {
    /** For people; the folder's name starts with it. */
    readonly name: string;
    /** Of everything the content depends on, see {@link digestOf}. */
    readonly digest: string;
    /** Fills a new, empty folder. */
    make(folder: string): Promise<void>;
}

/** A part that no run asked for in this time is removed, in milliseconds. */
const unusedMs = 30 * 24 * 3_600_000;

/** Folder of everything this makes, for every clone of one user. */
export function storeFolder(): string {
    return path.join(path.dirname(cacheFolder()), "binaries");
}

/** Where a part lies, made or not. */
export function partFolder(part: Pick<Part, "name" | "digest">): string {
    return path.join(storeFolder(), `${part.name}-${part.digest}`);
}

/** A short digest of strings and plain data, in order. */
export function digestOf(...inputs: readonly unknown[]): string {
    return createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 12);
}

/**
 * Text of source files in this folder: how a part is made is something it depends on. The source also
 * where the compiled code runs, so that both mean the same part.
 */
export function sourceOf(...modules: readonly string[]): string[] {
    const folder = path.join(REPOSITORY, "tools", "binaries");
    return modules.map((name) => readFileSync(path.join(folder, `${name}.ts`), "utf8"));
}

/**
 * The folder of a part, made when it is not there. Runs at the same time make it once: in a partial
 * folder, under a lock, renamed when complete.
 *
 * @throws what making it throws; nothing is kept then
 */
export async function ensurePart(part: Part, report: Report): Promise<string> {
    const folder = partFolder(part);
    if (existsSync(folder)) {
        await markUsed(folder);
        return folder;
    }
    await mkdir(storeFolder(), { recursive: true });
    await withLock(
        `${folder}.lock`,
        () => report(`binaries: another run makes ${part.name}, waiting for it`),
        async () => {
            if (!existsSync(folder)) {
                await removePartials(folder);
                await makeInto(folder, part, report);
            }
        },
    );
    return folder;
}

/** Removes parts that no run has used for a month: those of earlier versions, and what was left half made. */
export async function removeUnusedParts(report: Report): Promise<void> {
    for (const name of await readdir(storeFolder())) {
        const folder = path.join(storeFolder(), name);
        // Another run may have renamed or removed it meanwhile.
        const found = await stat(folder).catch(() => undefined);
        if (found !== undefined && Date.now() - found.mtimeMs > unusedMs) {
            report(`binaries: removing ${name}, not used for a month`);
            await rm(folder, { recursive: true, force: true });
        }
    }
}

async function markUsed(folder: string): Promise<void> {
    const now = new Date();
    await utimes(folder, now, now);
}

async function makeInto(folder: string, part: Part, report: Report): Promise<void> {
    report(`binaries: making ${part.name}`);
    const started = Date.now();
    const partial = `${folder}.partial-${process.pid}`;
    await mkdir(partial);
    try {
        await part.make(partial);
        await rename(partial, folder);
    } finally {
        await rm(partial, { recursive: true, force: true });
    }
    report(`binaries: made ${part.name} in ${Math.round((Date.now() - started) / 1000)} s`);
}

/** Those of runs that were killed: the lock is held, so nobody fills one now. */
async function removePartials(folder: string): Promise<void> {
    const prefix = `${path.basename(folder)}.partial-`;
    for (const name of await readdir(path.dirname(folder))) {
        if (name.startsWith(prefix)) {
            await rm(path.join(path.dirname(folder), name), { recursive: true, force: true });
        }
    }
}
