import { sql } from "kysely";

import { type Manifest, type ManifestEntry, sortedPaths } from "#contract/manifest";
import type { Files } from "#contract/schemas";

import { StartupError } from "../errors";
import { certificateExpiry } from "./certificates";
import type { Keyring } from "./keyring";
import type { Db, Trx } from "./schema";

/** Rows per INSERT: keeps a statement far below PostgreSQL's limit of 65535 parameters. */
const batch = 200;

/** What a sealed content is bound to: a row copied to another cluster or digest does not open. */
export function contextOf(clusterId: number, digest: string): string {
    return `${clusterId}/${digest}`;
}

/**
 * Makes the sealing key known to the database and makes sure every key the database was ever sealed
 * with is at hand: two replicas with different keys would else fail only when a node asks.
 * Throws StartupError naming the missing key ids.
 */
export async function registerKeys(db: Db, keyring: Keyring): Promise<void> {
    await db.transaction().execute(async (trx) => {
        await sql`LOCK TABLE bootstrap_keys IN EXCLUSIVE MODE`.execute(trx);
        const known = await trx.selectFrom("bootstrap_keys").select("key_id").execute();
        const missing = known.map((row) => row.key_id).filter((id) => !keyring.has(id));
        if (missing.length > 0) {
            throw new StartupError(
                `the database holds contents sealed with key ${missing.join(", ")}, which is not configured: give every replica the same EXCLOUD_BOOTSTRAP_ENCRYPTION_KEYS, or the data folder the database was first used with`,
            );
        }
        await sql`INSERT INTO bootstrap_keys (key_id, created_at)
            VALUES (${keyring.activeId}, now()) ON CONFLICT DO NOTHING`.execute(trx);
    });
}

/** Stores contents of a cluster by digest; what is held already stays as it is. */
export async function putContents(
    trx: Trx,
    keyring: Keyring,
    clusterId: number,
    files: Readonly<Files>,
    manifest: Readonly<Manifest>,
): Promise<void> {
    const contents = new Map(
        sortedPaths(files).map((path) => [
            (manifest[path] as ManifestEntry).sha256,
            (files[path] as { content: string }).content,
        ]),
    );
    const rows = [...contents].map(([digest, content]) => {
        const { keyId, nonce, sealed } = keyring.seal(content, contextOf(clusterId, digest));
        return {
            kubecluster_id: clusterId,
            digest,
            key_id: keyId,
            nonce,
            sealed,
            certificate_expires_at: certificateExpiry(content)?.toISOString() ?? null,
        };
    });
    for (let start = 0; start < rows.length; start += batch) {
        await trx
            .insertInto("bootstrap_contents")
            .values(rows.slice(start, start + batch))
            .onConflict((conflict) => conflict.doNothing())
            .execute();
    }
}

/** The contents of a manifest by path, in path order. Throws when one is not held. */
export async function readContents(
    trx: Trx,
    keyring: Keyring,
    clusterId: number,
    manifest: Readonly<Manifest>,
): Promise<Record<string, string>> {
    const digests = [...new Set(Object.values(manifest).map((entry) => entry.sha256))];
    if (digests.length === 0) {
        return {};
    }
    const rows = await trx
        .selectFrom("bootstrap_contents")
        .selectAll()
        .where("kubecluster_id", "=", clusterId)
        .where("digest", "in", digests)
        .execute();
    const byDigest = new Map(rows.map((row) => [row.digest, row]));
    return Object.fromEntries(
        sortedPaths(manifest).map((path) => {
            const { sha256 } = manifest[path] as ManifestEntry;
            const row = byDigest.get(sha256);
            if (!row) {
                throw new Error(`content ${sha256} of ${path} is not held`);
            }
            const sealed = { keyId: row.key_id, nonce: row.nonce, sealed: row.sealed };
            return [path, keyring.open(sealed, contextOf(clusterId, sha256))];
        }),
    );
}

/** Deletes contents of a cluster that neither a pool's files nor a served generation names. */
export async function deleteUnusedContents(trx: Trx, clusterId: number): Promise<void> {
    await sql`
        DELETE FROM bootstrap_contents
        WHERE kubecluster_id = ${clusterId} AND digest NOT IN (
            SELECT f.value ->> 'sha256' FROM bootstrap_pool_files p, jsonb_each(p.files) f
            WHERE p.kubecluster_id = ${clusterId}
            UNION
            SELECT f.value ->> 'sha256' FROM bootstrap_generations g
            JOIN nodes n ON n.id = g.node_id, jsonb_each(g.manifest) f
            WHERE n.kubecluster_id = ${clusterId}
        )`.execute(trx);
}
