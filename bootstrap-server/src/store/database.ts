import { Kysely, PostgresDialect } from "kysely";
import { Pool, types } from "pg";

import { messageOf, StartupError } from "../errors";
import { migrate } from "./migrations";
import { openEmbeddedPool } from "./pglite";
import { runPrepared } from "./prepared";
import type { Db, Schema } from "./schema";

/** Object id of PostgreSQL's type bigint. */
const bigintType = 20;

/** bigint as number: ids of clusters (40 bits), VMs and organisations all fit 53 bits. */
function parserOf(oid: number, format?: unknown): unknown {
    if (oid === bigintType) {
        return Number;
    }
    return types.getTypeParser(oid, format as "text");
}

/** Connections to PostgreSQL. */
export interface PoolFigures {
    idle: number;
    busy: number;
    /** Who waits for one. */
    waiting: number;
}

const pools = new WeakMap<Db, Pool>();

/** The connections of a database; undefined for the embedded one, which has none. */
export function poolFigures(db: Db): PoolFigures | undefined {
    const pool = pools.get(db);
    if (!pool) {
        return undefined;
    }
    const { idleCount: idle, totalCount, waitingCount: waiting } = pool;
    return { idle, busy: totalCount - idle, waiting };
}

function openServerPool(url: string): Pool {
    const pool = new Pool({
        connectionString: url,
        connectionTimeoutMillis: 10_000,
        types: { getTypeParser: parserOf as typeof types.getTypeParser },
    });
    // An idle connection that breaks is replaced at the next query; without a listener it would end
    // the process.
    pool.on("error", () => undefined);
    pool.on("connect", runPrepared);
    // The same for one that breaks between two queries of a transaction: the next query reports it.
    pool.on("connect", (client) => void client.on("error", () => undefined));
    return pool;
}

/**
 * Opens the store and brings it to this server's schema: PostgreSQL at `databaseUrl`, or embedded
 * PGlite in `folder` when there is no URL. Both run the same SQL.
 * Throws StartupError when it cannot be reached; the message never holds the URL, which may carry a
 * password.
 */
export async function openDatabase(store: {
    databaseUrl?: string | undefined;
    folder: string;
    /** Told when the embedded database ends by itself; PostgreSQL comes back, and is connected to again. */
    onLost: (why: Error) => void;
}): Promise<Db> {
    const where = store.databaseUrl
        ? "the PostgreSQL of DATABASE_URL"
        : `the embedded database in ${store.folder}`;
    try {
        const pool = store.databaseUrl
            ? openServerPool(store.databaseUrl)
            : await openEmbeddedPool(store.folder, store.onLost);
        const db: Db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
        if (pool instanceof Pool) {
            pools.set(db, pool);
        }
        try {
            await migrate(db);
            return db;
        } catch (error) {
            await db.destroy();
            throw error;
        }
    } catch (error) {
        if (error instanceof StartupError) {
            throw error;
        }
        throw new StartupError(`cannot open ${where}: ${messageOf(error)}`);
    }
}
