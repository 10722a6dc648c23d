import { mkdir, rename, rm, stat, utimes } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** The holder renews its lock this often, in milliseconds. */
const heartbeatMs = 5_000;

/** A lock that was not renewed for so long belongs to a process that died, in milliseconds. */
const staleMs = 60_000;

const retryMs = 1_000;

/**
 * Runs work while this process alone holds a lock, also among processes that cannot see each other.
 *
 * @param folder the lock; it exists while held
 * @param onWait called once when another process holds it
 */
export async function withLock<T>(
    folder: string,
    onWait: () => void,
    work: () => Promise<T>,
): Promise<T> {
    for (let waited = false; !(await take(folder)); waited = true) {
        if (!waited) {
            onWait();
        }
        await removeStale(folder);
        await sleep(retryMs);
    }
    const heartbeat = setInterval(() => {
        const now = new Date();
        // A failed renewal shows as a stale lock to others, which is what it then is.
        utimes(folder, now, now).catch(() => undefined);
    }, heartbeatMs);
    try {
        return await work();
    } finally {
        clearInterval(heartbeat);
        await rm(folder, { recursive: true, force: true });
    }
}

async function take(folder: string): Promise<boolean> {
    try {
        await mkdir(folder);
        return true;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") {
            return false;
        }
        throw error;
    }
}

async function removeStale(folder: string): Promise<void> {
    const held = await stat(folder).catch(() => undefined);
    if (held === undefined || Date.now() - held.mtimeMs < staleMs) {
        return;
    }
    // Two that wait can see the same stale lock, and the slower one may then take away the lock that
    // the faster one has just taken. Work under this lock therefore puts its result in place by rename.
    const removed = `${folder}.stale-${process.pid}`;
    await rename(folder, removed).catch(() => undefined);
    await rm(removed, { recursive: true, force: true });
}
