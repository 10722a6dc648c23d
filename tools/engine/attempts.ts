import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";

import { cacheFolder } from "./repository";

/** A failed download is not tried again for this long, in milliseconds: one day. */
const rememberedMs = 24 * 3_600_000;

interface FailedAttempt {
    readonly at: string;
    readonly reason: string;
}

/**
 * Tries something that needs the internet, at most once a day while it fails.
 *
 * @param name of what is to be had
 * @returns what the attempt gave, or undefined when it failed now or within the last day
 */
export async function attemptDaily<T>(
    name: string,
    report: (line: string) => void,
    attempt: () => Promise<T>,
): Promise<T | undefined> {
    const file = path.join(cacheFolder(), `${name.replaceAll(" ", "-")}-failed.json`);
    if (await failedRecently(file)) {
        return undefined;
    }
    try {
        const result = await attempt();
        await rm(file, { force: true });
        return result;
    } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const failed: FailedAttempt = { at: new Date().toISOString(), reason };
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(file, JSON.stringify(failed));
        report(`${name}: not to be had now (${reason.split("\n")[0]}); tried again in a day`);
        return undefined;
    }
}

async function failedRecently(file: string): Promise<boolean> {
    try {
        const { at } = JSON.parse(await readFile(file, "utf8")) as FailedAttempt;
        const age = Date.now() - Date.parse(at);
        return age >= 0 && age < rememberedMs;
    } catch {
        return false;
    }
}
