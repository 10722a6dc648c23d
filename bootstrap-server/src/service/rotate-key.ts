import { sql } from "kysely";

import type { Context } from "../context";
import { contextOf } from "../store/contents";

/** Contents sealed anew in one transaction: few enough that nobody waits long for their rows. */
const batch = 200;

/** What one step of a rotation did, and what is left. */
export interface RotationStep {
    /** The key that everything is to be sealed with. */
    key: string;
    resealed: number;
    /** Contents that another key still seals. */
    left: number;
    /** Keys that seal nothing any more; known when nothing is left. */
    unneeded: string[];
}

/** Seals the next contents that another key sealed with the first key. Needs every such key. */
async function resealBatch({ db, keyring }: Context): Promise<number> {
    return db.transaction().execute(async (trx) => {
        const rows = await trx
            .selectFrom("bootstrap_contents")
            .selectAll()
            .where("key_id", "!=", keyring.activeId)
            .limit(batch)
            .forUpdate()
            .execute();
        for (const { kubecluster_id, digest, key_id: keyId, nonce, sealed } of rows) {
            const place = contextOf(kubecluster_id, digest);
            const anew = keyring.seal(keyring.open({ keyId, nonce, sealed }, place), place);
            await trx
                .updateTable("bootstrap_contents")
                .set({ key_id: anew.keyId, nonce: anew.nonce, sealed: anew.sealed })
                .where("kubecluster_id", "=", kubecluster_id)
                .where("digest", "=", digest)
                .execute();
        }
        return rows.length;
    });
}

/**
 * Forgets the keys that seal nothing, so that servers start without them; returns their ids. A key
 * that is not at hand is newer than this server's configuration: others are about to use it.
 */
async function forgetUnneededKeys({ db, keyring }: Context): Promise<string[]> {
    return db.transaction().execute(async (trx) => {
        await sql`LOCK TABLE bootstrap_keys IN EXCLUSIVE MODE`.execute(trx);
        const rows = await trx
            .deleteFrom("bootstrap_keys")
            .where("key_id", "in", keyring.ids)
            .where("key_id", "!=", keyring.activeId)
            .where("key_id", "not in", (query) =>
                query.selectFrom("bootstrap_contents").select("key_id"),
            )
            .returning("key_id")
            .execute();
        return rows.map(({ key_id }) => key_id);
    });
}

/** One step of a rotation to the first key. Each step stands by itself: call it until none is left. */
export async function rotateKey(context: Context): Promise<RotationStep> {
    const { db, keyring } = context;
    const resealed = await resealBatch(context);
    const { left } = await db
        .selectFrom("bootstrap_contents")
        .select(({ fn }) => fn.countAll<number>().as("left"))
        .where("key_id", "!=", keyring.activeId)
        .executeTakeFirstOrThrow();
    const unneeded = left === 0 ? await forgetUnneededKeys(context) : [];
    return { key: keyring.activeId, resealed, left, unneeded };
}
