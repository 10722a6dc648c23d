import { startPostgres } from "../../../../tools/postgres/postgres";

/** The stores that every case runs on. */
export const stores = ["PGlite", "PostgreSQL"] as const;

/** A store of the tests: what of it a server's options name. */
export interface TestStore {
    options: { databaseUrl?: string };
    stop: () => Promise<void>;
}

/** Starts a real PostgreSQL; PGlite comes with each server. */
export async function startStore(store: (typeof stores)[number]): Promise<TestStore> {
    if (store === "PGlite") {
        return { options: {}, stop: () => Promise.resolve() };
    }
    const postgres = await startPostgres();
    return { options: { databaseUrl: postgres.url }, stop: () => postgres.stop() };
}
