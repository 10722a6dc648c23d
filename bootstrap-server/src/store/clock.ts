import { sql } from "kysely";
import type { Db } from "./schema";

/** Tells the time. Rules of time use the database's clock, which all replicas share. */
export type Clock = (db: Db) => Promise<Date>;

/** The database's own clock. */
export const databaseClock: Clock = async (db) => {
    const { rows } = await sql<{ now: Date }>`SELECT clock_timestamp() AS now`.execute(db);
    return new Date((rows[0] as { now: Date }).now);
};
