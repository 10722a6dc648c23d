import { ApiError } from "../errors";
import { clusterName, drawClusterId } from "../names";
import { clusterNotFound, type ClusterRow } from "./rows";
import type { Context } from "../context";
import type { Trx } from "../store/schema";

/** The seed fixes the project of every cluster to 1. */
const projectId = 1;

/** A cluster as the operator sees it. */
function clusterView(context: Context, row: ClusterRow) {
    return {
        cluster_id: row.id,
        name: clusterName(row.org_id, row.id),
        org_id: row.org_id,
        project_id: row.project_id,
        key: row.registration_key,
        mode: context.mode,
        etcd_state: row.etcd_state,
        created_at: row.created_at.toISOString(),
    };
}

/** The id of a new cluster: drawn here when self-hosted, the sequence's in Excloud's database. */
function idOf(context: Context): { id?: number } {
    return context.mode === "selfHosted" ? { id: drawClusterId() } : {};
}

async function insertCluster(context: Context, trx: Trx, key: string): Promise<void> {
    const now = await context.clock(trx);
    await trx
        .insertInto("clusters")
        .values({
            ...idOf(context),
            org_id: context.orgId,
            project_id: projectId,
            registration_key: key,
            created_at: now.toISOString(),
        })
        .onConflict((conflict) => conflict.columns(["org_id", "registration_key"]).doNothing())
        .execute();
}

/**
 * Registers a cluster under a key, or adopts what an interrupted registration of that key left.
 * Throws 409 once a slot of it was ever bound to a VM: then somebody lives in it.
 */
export async function registerCluster(context: Context, key: string) {
    return context.db.transaction().execute(async (trx) => {
        await insertCluster(context, trx, key);
        const row = await trx
            .selectFrom("clusters")
            .selectAll()
            .where("org_id", "=", context.orgId)
            .where("registration_key", "=", key)
            .forUpdate()
            .executeTakeFirstOrThrow();
        if (row.first_bound_at) {
            throw new ApiError(
                409,
                "bootstrap.cluster.in_use",
                `cluster ${row.id} of the key "${key}" has nodes bound since ${row.first_bound_at.toISOString()}: it is in use by whoever registered that key; use another key, or delete the cluster first`,
            );
        }
        return clusterView(context, row);
    });
}

/** Reads a cluster. Throws 404. */
export async function readCluster(context: Context, clusterId: number) {
    const row = await findCluster(context, clusterId);
    return clusterView(context, row);
}

/** The row of a cluster of this server, without a lock. Throws 404. */
export async function findCluster(context: Context, clusterId: number): Promise<ClusterRow> {
    const row = await context.db
        .selectFrom("clusters")
        .selectAll()
        .where("id", "=", clusterId)
        .where("org_id", "=", context.orgId)
        .where("registration_key", "is not", null)
        .executeTakeFirst();
    if (!row) throw clusterNotFound(clusterId);
    return row;
}

/** Deletes a cluster with its slots, files, reports and leases. Throws 404. */
export async function deleteCluster(context: Context, clusterId: number): Promise<void> {
    const { numDeletedRows } = await context.db
        .deleteFrom("clusters")
        .where("id", "=", clusterId)
        .where("org_id", "=", context.orgId)
        .where("registration_key", "is not", null)
        .executeTakeFirst();
    if (numDeletedRows === 0n) throw clusterNotFound(clusterId);
}
