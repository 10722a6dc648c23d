import { setTimeout as sleep } from "node:timers/promises";

import { sql } from "kysely";

import type { Db } from "./schema";

/** How long the database may take to answer that it is there, in milliseconds. */
const patienceMs = 2000;

/**
 * Tells whether the database answers, in at most two seconds. Whoever asks meanwhile waits for the
 * same answer, and a question that hangs is not asked again until it has ended: probes never take
 * the connections that requests wait for.
 */
export function reachabilityOf(db: Db): () => Promise<boolean> {
    let asked: Promise<boolean> | undefined;
    const ask = (): Promise<boolean> =>
        (asked ??= sql`SELECT 1`
            .execute(db)
            .then(
                () => true,
                () => false,
            )
            .finally(() => (asked = undefined)));
    return async () => {
        const ended = new AbortController();
        try {
            return await Promise.race([ask(), sleep(patienceMs, false, { signal: ended.signal })]);
        } finally {
            ended.abort();
        }
    };
}
