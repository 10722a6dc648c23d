import { mkdir, mkdtemp, readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { create, extract } from "tar";
import { dataPaths } from "./data-dir";
import { StartupError } from "./errors";

/** What of a data folder is not made anew by itself, as names in it. */
const kept = ["database", "tls", "encryption-key", "operator-token"];

async function namesIn(folder: string): Promise<string[]> {
    try {
        return await readdir(folder);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
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

/**
 * Makes a data folder of an archive, all of it or nothing.
 * Throws StartupError when there is one already, or the archive is none of `archiveOf`.
 */
export async function restoreArchive(file: string, dataDir: string): Promise<void> {
    if ((await namesIn(dataDir)).length > 0) {
        throw new StartupError(`${dataDir} is not empty: move it away, or name another --data-dir`);
    }
    await mkdir(dirname(dataDir), { recursive: true, mode: 0o700 });
    const unpacked = await mkdtemp(join(dirname(dataDir), `.${basename(dataDir)}-`));
    try {
        await extract({
            file,
            cwd: unpacked,
            strict: true,
            filter: (path, entry) =>
                kept.includes(path.split("/", 1)[0] as string) &&
                "type" in entry &&
                ["File", "Directory"].includes(entry.type),
        }).catch((error: unknown) => {
            throw new StartupError(`${file} is no backup: ${String(error)}`);
        });
        if (!(await namesIn(join(unpacked, "tls"))).includes("ca.key")) {
            throw new StartupError(`${file} is no backup: it holds no tls/ca.key`);
        }
        await rmdir(dataDir).catch(() => undefined);
        await rename(unpacked, dataDir);
    } finally {
        await rm(unpacked, { recursive: true, force: true });
    }
}
