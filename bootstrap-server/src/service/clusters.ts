import { clusterName } from "#contract/names";

import { drawClusterId } from "../cluster-id";
import type { Context } from "../context";
import { ApiError } from "../errors";
import { isSilent, silenceMs } from "../rules/rollout";
import type { ClusterRow, Trx } from "../store/schema";
import { clusterNotFound, inCluster, nodesOf } from "./rows";

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
                `cluster ${row.id} of the key "${key}" has nodes bound since ${row.first_bound_at.toISOString()}: it is in use by whoever registered that key; use another key, or, when its VMs are gone, run: excloud-k8s-bootstrap clusters delete ${row.id}`,
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
    if (!row) {
        throw clusterNotFound(clusterId);
    }
    return row;
}

/** Every cluster of this server with how many nodes it has and when one was last heard of. */
export async function listClusters(context: Context) {
    const rows = await context.db
        .selectFrom("clusters")
        .leftJoin("nodes", "nodes.kubecluster_id", "clusters.id")
        .selectAll("clusters")
        .select(({ fn }) => [
            fn.count<number>("nodes.slot").as("slots"),
            fn.count<number>("nodes.vm_id").as("bound"),
            fn.max("nodes.last_seen_at").as("last_seen_at"),
        ])
        .where("clusters.org_id", "=", context.orgId)
        .where("clusters.registration_key", "is not", null)
        .groupBy("clusters.id")
        .orderBy("clusters.created_at")
        .execute();
    return {
        clusters: rows.map((row) => ({
            ...clusterView(context, row),
            slots: row.slots,
            bound: row.bound,
            last_seen_at: row.last_seen_at?.toISOString() ?? null,
        })),
    };
}

async function refuseWhileHeard(context: Context, trx: Trx, clusterId: number): Promise<void> {
    const now = await context.clock(trx);
    const heard = (await nodesOf(trx, clusterId)).filter(
        ({ last_seen_at }) => last_seen_at !== null && !isSilent(last_seen_at, now),
    );
    if (heard.length === 0) {
        return;
    }
    throw new ApiError(
        409,
        "bootstrap.cluster.alive",
        `${heard.map(({ slot }) => slot).join(", ")} of cluster ${clusterId} reported in the last ${silenceMs / 60_000} minutes: destroy its VMs first, or force it`,
    );
}

/**
 * Deletes a cluster with its slots, files, reports and leases.
 * Throws 404; with `onlySilent` 409 while a node of it was heard of recently.
 */
export async function deleteCluster(
    context: Context,
    clusterId: number,
    { onlySilent }: { onlySilent: boolean },
): Promise<void> {
    await inCluster(context, clusterId, async (trx) => {
        if (onlySilent) {
            await refuseWhileHeard(context, trx, clusterId);
        }
        await trx.deleteFrom("clusters").where("id", "=", clusterId).execute();
    });
}
