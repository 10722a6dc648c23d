import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { archiveOf, hasEmbeddedDatabase, restoreArchive } from "../backup";
import { downloadFromServer } from "../control/client";
import { dataPaths } from "../data-dir";
import { type FolderLock, lockFolder } from "../store/folder-lock";

/** What PostgreSQL keeps is not in the data folder. */
const dumpToo =
    "The database is PostgreSQL: this is the data folder only. Save the database with pg_dump, and keep both.";

/** The archive: of a folder that nobody uses, or else from the server that uses it. */
async function writeArchive(dataDir: string, write: (archive: Readable) => Promise<void>) {
    let lock: FolderLock | undefined;
    if (await hasEmbeddedDatabase(dataDir)) {
        lock = await lockFolder(dataPaths(dataDir).database).catch(() => undefined);
        if (!lock) {
            return downloadFromServer(dataDir, "/local/backup", write);
        }
    }
    try {
        await write(await archiveOf(dataDir));
    } finally {
        await lock?.release();
    }
}

/** Saves a data folder to a private file, which is there whole or not at all. */
export async function backup(file: string, flags: { dataDir: string }): Promise<void> {
    const dataDir = resolve(flags.dataDir);
    const temporary = `${file}.part`;
    try {
        await rm(temporary, { force: true });
        await writeArchive(dataDir, (archive) =>
            pipeline(
                archive,
                createWriteStream(temporary, { mode: 0o600, flags: "wx", flush: true }),
            ),
        );
        await rename(temporary, file);
    } finally {
        await rm(temporary, { force: true });
    }
    console.log(`saved ${dataDir} to ${file}: whoever has it can act as this server`);
    if (!(await hasEmbeddedDatabase(dataDir))) {
        console.log(dumpToo);
    }
}

/** Makes a data folder of what `backup` saved. */
export async function restore(file: string, flags: { dataDir: string }): Promise<void> {
    const dataDir = resolve(flags.dataDir);
    await restoreArchive(file, dataDir);
    console.log(`restored ${dataDir}: start the server on it`);
    if (!(await hasEmbeddedDatabase(dataDir))) {
        console.log("It holds no database: restore that of PostgreSQL with pg_restore.");
    }
}
