import { sql } from "kysely";

import type { Db } from "./schema";

/**
 * Tells the time. Rules of time use the database's clock, which all replicas share. `read` is what
 * that clock said in a query that was made anyway: then it is not asked again.
 */
export type Clock = (db: Db, read?: Date) => Promise<Date>;

/** The database's own clock. */
export const databaseClock: Clock = async (db, read) => {
    if (read) {
        return new Date(read);
    }
    const { rows } = await sql<{ now: Date }>`SELECT clock_timestamp() AS now`.execute(db);
    return new Date((rows[0] as { now: Date }).now);
};
