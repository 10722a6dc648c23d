import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";

import { create, extract } from "tar";

import { dataPaths } from "./data-dir";
import { messageOf, StartupError } from "./errors";

/** What of a data folder is not made anew by itself, as names in it. */
const kept = ["database", "tls", "encryption-key", "operator-token"];

async function namesIn(folder: string): Promise<string[]> {
    try {
        return await readdir(folder);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") {
            return [];
        }
        throw error;
    }
}

/** Whether a data folder has an embedded database. */
export async function hasEmbeddedDatabase(dataDir: string): Promise<boolean> {
    return (await namesIn(dataPaths(dataDir).database)).length > 0;
}

/**
 * A data folder as a compressed archive. Nothing may write to its database meanwhile.
 * Throws StartupError when it is none.
 */
export async function archiveOf(dataDir: string): Promise<Readable> {
    const names = await namesIn(dataDir);
    if (!names.includes("tls")) {
        throw new StartupError(`${dataDir} is no data folder of a server: it holds no tls folder`);
    }
    const inArchive = kept.filter((name) => names.includes(name));
    return Readable.from(create({ cwd: dataDir, gzip: true, portable: true }, inArchive));
}

/** Unpacks what of an archive belongs into a data folder, and makes sure that it is one. */
async function unpack(file: string, folder: string, owner: Owner): Promise<void> {
    await extract({
        file,
        cwd: folder,
        strict: true,
        ...owner,
        filter: (path, entry) =>
            kept.includes(path.split("/", 1)[0] as string) &&
            "type" in entry &&
            ["File", "Directory"].includes(entry.type),
    }).catch((error: unknown) => {
        throw new StartupError(`${file} is no backup: ${messageOf(error)}`);
    });
    if (!(await namesIn(join(folder, "tls"))).includes("ca.key")) {
        throw new StartupError(`${file} is no backup: it holds no tls/ca.key`);
    }
}

/** Whom restored files belong to: whoever restores, or for root the folder's owner. */
type Owner = { uid: number; gid: number } | Record<string, never>;

async function ownerFor(folder: string): Promise<Owner> {
    const { uid, gid } = await stat(folder);
    return process.getuid?.() === 0 ? { uid, gid } : {};
}

/**
 * Fills a data folder from an archive, once all of it is unpacked. The folder itself stays: it may be
 * a mounted volume, or somebody else's.
 * Throws StartupError when it holds anything, or the archive is none of `archiveOf`.
 */
export async function restoreArchive(file: string, dataDir: string): Promise<void> {
    if ((await namesIn(dataDir)).length > 0) {
        throw new StartupError(`${dataDir} is not empty: move it away, or name another --data-dir`);
    }
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const unpacked = await mkdtemp(join(dataDir, ".restore-"));
    try {
        await unpack(file, unpacked, await ownerFor(dataDir));
        for (const name of await readdir(unpacked)) {
            await rename(join(unpacked, name), join(dataDir, name));
        }
    } finally {
        await rm(unpacked, { recursive: true, force: true });
    }
}
