import { type Manifest, type ManifestEntry, sortedPaths } from "#contract/manifest";
import type { PoolFilesRequest } from "#contract/operator";
import { poolOf, roleOf } from "#contract/pools";

import type { Context } from "../context";
import { ApiError } from "../errors";
import { manifestOf } from "../rules/bundle";
import { deleteUnusedContents, putContents } from "../store/contents";
import type { Db } from "../store/schema";
import { findCluster } from "./clusters";
import { inCluster } from "./rows";

/** Digests by path, in path order. */
export function digestsOf(manifest: Readonly<Manifest>): Record<string, string> {
    return Object.fromEntries(
        sortedPaths(manifest).map((path) => [path, (manifest[path] as ManifestEntry).sha256]),
    );
}

function poolFilesNotFound(clusterId: number, pool: string): ApiError {
    return new ApiError(
        404,
        "bootstrap.pool_files.not_found",
        `cluster ${clusterId} holds no files of the pool ${pool}: put them first`,
    );
}

/** The stored files of a pool, without contents; undefined when there are none. */
export async function findPoolFiles(db: Db, clusterId: number, pool: string) {
    return db
        .selectFrom("bootstrap_pool_files")
        .select(["pool", "role", "slots", "files", "max_unavailable"])
        .where("kubecluster_id", "=", clusterId)
        .where("pool", "=", pool)
        .executeTakeFirst();
}

/** Refuses a pool of another role than its name says, and slots of other pools. Throws 422. */
function checkPool(pool: string, { role, slots }: PoolFilesRequest): void {
    const wrong = slots.filter((slot) => poolOf(slot) !== pool);
    if (role === roleOf(pool) && wrong.length === 0) {
        return;
    }
    throw new ApiError(
        422,
        "bootstrap.pool_files.invalid",
        wrong.length > 0
            ? `${wrong.join(", ")} cannot be a slot of the pool ${pool}`
            : `the pool ${pool} has nodes of the role ${roleOf(pool)}, the request says ${role}`,
    );
}

/**
 * Stores the files that are equal on every node of a pool, which slots the pool has, and its limit.
 * Nothing that is served changes by it: that takes a node's bundle. Throws 404, 422.
 */
export async function putPoolFiles(
    context: Context,
    clusterId: number,
    pool: string,
    request: PoolFilesRequest,
) {
    checkPool(pool, request);
    const { role, slots, files, max_unavailable = null } = request;
    const manifest = manifestOf(files);
    return inCluster(context, clusterId, async (trx) => {
        await putContents(trx, context.keyring, clusterId, files, manifest);
        const columns = {
            role,
            slots: JSON.stringify(slots),
            files: JSON.stringify(manifest),
            max_unavailable,
        };
        await trx
            .insertInto("bootstrap_pool_files")
            .values({ kubecluster_id: clusterId, pool, ...columns })
            .onConflict((conflict) =>
                conflict.columns(["kubecluster_id", "pool"]).doUpdateSet(columns),
            )
            .execute();
        await deleteUnusedContents(trx, clusterId);
        return { pool, role, slots, max_unavailable, digests: digestsOf(manifest) };
    });
}

/** Reads which files a pool has. Throws 404. */
export async function readPoolFiles(context: Context, clusterId: number, pool: string) {
    await findCluster(context, clusterId);
    const row = await findPoolFiles(context.db, clusterId, pool);
    if (!row) {
        throw poolFilesNotFound(clusterId, pool);
    }
    const { files, ...view } = row;
    return { ...view, digests: digestsOf(files) };
}

/** Deletes the files of a pool; nodes are served what they were released. Throws 404. */
export async function deletePoolFiles(
    context: Context,
    clusterId: number,
    pool: string,
): Promise<void> {
    await inCluster(context, clusterId, async (trx) => {
        const { numDeletedRows } = await trx
            .deleteFrom("bootstrap_pool_files")
            .where("kubecluster_id", "=", clusterId)
            .where("pool", "=", pool)
            .executeTakeFirst();
        if (numDeletedRows === 0n) {
            throw poolFilesNotFound(clusterId, pool);
        }
        await deleteUnusedContents(trx, clusterId);
    });
}
