import { sql } from "kysely";

import { controlPlanePool } from "#contract/pools";

import type { Context } from "../context";
import { ApiError } from "../errors";
import {
    afterBinding,
    afterReport,
    beginFounding,
    type Founding,
    type FoundingSlot,
} from "../rules/founding";
import { isSilent, type RolloutNode } from "../rules/rollout";
import type { ClusterRow, Db, NodeRow, Trx } from "../store/schema";

/** The cluster, locked until the transaction ends; undefined when it is not this server's. */
export async function lockCluster(
    context: Context,
    trx: Trx,
    clusterId: number,
): Promise<ClusterRow | undefined> {
    return trx
        .selectFrom("clusters")
        .selectAll()
        .where("id", "=", clusterId)
        .where("org_id", "=", context.orgId)
        .where("registration_key", "is not", null)
        .forUpdate()
        .executeTakeFirst();
}

/** A 404 for a cluster. */
export function clusterNotFound(clusterId: number): ApiError {
    return new ApiError(
        404,
        "bootstrap.cluster.not_found",
        `no cluster has the id ${clusterId}: register it first`,
    );
}

/**
 * Runs a change to a cluster in one transaction, under the lock of its row: everything about a
 * cluster happens in one order, on whichever replica it arrives. Throws 404 for an unknown cluster.
 */
export async function inCluster<T>(
    context: Context,
    clusterId: number,
    work: (trx: Trx, cluster: ClusterRow) => Promise<T>,
): Promise<T> {
    return context.db.transaction().execute(async (trx) => {
        const cluster = await lockCluster(context, trx, clusterId);
        if (!cluster) {
            throw clusterNotFound(clusterId);
        }
        return work(trx, cluster);
    });
}

/** Every slot of a cluster, with the database's time. */
export async function nodesOf(db: Db, clusterId: number): Promise<(NodeRow & { now: Date })[]> {
    return db
        .selectFrom("nodes")
        .selectAll()
        .select(sql<Date>`clock_timestamp()`.as("now"))
        .where("kubecluster_id", "=", clusterId)
        .where("slot", "is not", null)
        .execute();
}

/** The slot of a cluster. Throws 404 when it is not there. */
export async function nodeInSlot(db: Db, clusterId: number, slot: string): Promise<NodeRow> {
    const row = await db
        .selectFrom("nodes")
        .selectAll()
        .where("kubecluster_id", "=", clusterId)
        .where("slot", "=", slot)
        .executeTakeFirst();
    if (row) {
        return row;
    }
    throw new ApiError(
        404,
        "bootstrap.slot.not_found",
        `cluster ${clusterId} has no slot ${slot}: put the slot first`,
    );
}

/** The slot that a VM fills, in whichever cluster of this server. */
export async function nodeOfVm(
    context: Context,
    db: Db,
    vmId: number,
): Promise<NodeRow | undefined> {
    return db
        .selectFrom("nodes")
        .innerJoin("clusters", "clusters.id", "nodes.kubecluster_id")
        .selectAll("nodes")
        .where("nodes.vm_id", "=", vmId)
        .where("nodes.slot", "is not", null)
        .where("clusters.org_id", "=", context.orgId)
        .where("clusters.registration_key", "is not", null)
        .executeTakeFirst();
}

/** The columns of a node that the rollout gate goes by. */
type RolloutColumns = Pick<
    NodeRow,
    | "slot"
    | "role"
    | "vm_id"
    | "desired_generation"
    | "released_generation"
    | "released_at"
    | "reported_generation"
    | "healthy"
    | "booted"
    | "last_seen_at"
>;

/** A node as the rollout gate sees it. */
export function rolloutView(node: RolloutColumns, now: Date): RolloutNode {
    return {
        slot: node.slot,
        role: node.role,
        bound: node.vm_id !== null,
        desired: node.desired_generation,
        released: node.released_generation,
        releasedAt: node.released_at,
        reported: node.reported_generation,
        healthy: node.healthy,
        booted: node.booted,
        silent: isSilent(node.last_seen_at, now),
    };
}

/** The founding state of a cluster row. */
export function foundingOf(cluster: Pick<ClusterRow, "etcd_state" | "founding_set">): Founding {
    const set = cluster.founding_set ?? [];
    return cluster.etcd_state === "unfounded"
        ? { state: "unfounded" }
        : { state: cluster.etcd_state, set };
}

function foundingSlots(nodes: readonly NodeRow[]): FoundingSlot[] {
    return nodes
        .filter(({ role }) => role === "control-plane")
        .map((node) => ({
            slot: node.slot,
            vmId: node.vm_id,
            name: node.node_name,
            address: node.vm_ip,
            hasBundle: node.desired_generation !== null,
            etcdRan: node.etcd_ran,
        }));
}

/** What happened that may move the founding of a cluster on. */
export type FoundingEvent = "release" | "report" | "binding";

/** Applies an event to the founding of a locked cluster of `nodes`, stores it, and returns the new state. */
export async function advanceFounding(
    trx: Trx,
    cluster: ClusterRow,
    nodes: readonly NodeRow[],
    event: FoundingEvent,
): Promise<Founding> {
    const current = foundingOf(cluster);
    const slots = foundingSlots(nodes);
    const next = await nextFounding(trx, cluster, event, current, slots);
    if (next !== current) {
        await trx
            .updateTable("clusters")
            .set({
                etcd_state: next.state,
                founding_set: next.state === "unfounded" ? null : JSON.stringify(next.set),
            })
            .where("id", "=", cluster.id)
            .execute();
    }
    return next;
}

async function nextFounding(
    trx: Trx,
    cluster: ClusterRow,
    event: FoundingEvent,
    current: Founding,
    slots: readonly FoundingSlot[],
): Promise<Founding> {
    switch (event) {
        case "binding":
            return afterBinding(current, slots);
        case "report":
            return afterReport(current, slots);
        case "release": {
            if (current.state !== "unfounded") {
                return current;
            }
            const pool = await trx
                .selectFrom("bootstrap_pool_files")
                .select("slots")
                .where("kubecluster_id", "=", cluster.id)
                .where("pool", "=", controlPlanePool)
                .executeTakeFirst();
            return beginFounding(current, pool?.slots, slots);
        }
    }
}
