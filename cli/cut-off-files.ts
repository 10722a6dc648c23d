import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** A living run writes such a file in less. */
const longestWrite = 500;

/**
 * Files of attributes in a folder of states that a killed run left cut off. Pulumi writes a state whole or
 * not at all, but not the `.attrs` file beside it; where that is cut off, it reads no stack any more and
 * says `failed to load checkpoint: EOF`. It does without the file: it holds a type and a checksum.
 *
 * @returns their paths; empty for a backend that is no folder
 */
export async function cutOffFilesOf(backendUrl: string): Promise<string[]> {
    if (!backendUrl.startsWith("file://")) {
        return [];
    }
    const folder = join(fileURLToPath(backendUrl), ".pulumi");
    const found = readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".attrs"))
        .map((name) => join(folder, name))
        .filter(isCutOff);
    if (found.length > 0) {
        await sleep(longestWrite);
    }
    return found.filter((file) => existsSync(file) && isCutOff(file));
}

function isCutOff(file: string): boolean {
    try {
        JSON.parse(readFileSync(file, "utf8"));
        return false;
    } catch {
        return true;
    }
}
