import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import * as path from "node:path";

/** Writes a file so that a reader, or a crash, sees the old or the new text and nothing between. */
export function writeFileAtomic(file: string, text: string, mode = 0o600): void {
    mkdirSync(path.dirname(file), { recursive: true });
    const temporary = `${file}.${randomBytes(4).toString("hex")}.tmp`;
    writeFileSync(temporary, text, { mode });
    // The mode given to writeFile is cut by the process's umask.
    chmodSync(temporary, mode);
    renameSync(temporary, file);
}
