import type { Selectable } from "kysely";

import { clusterName } from "#contract/names";
import { phases } from "#contract/phases";
import { compareSlots } from "#contract/pools";

import type { Context } from "../context";
import { holderOf, type RolloutNode } from "../rules/rollout";
import type { Db, NodeRow, ReportsTable } from "../store/schema";
import { findCluster } from "./clusters";
import { nodesOf, rolloutView } from "./rows";

type ReportRow = Selectable<ReportsTable>;

function phasesOf(reports: readonly ReportRow[]) {
    return phases.flatMap((phase) =>
        reports
            .filter((report) => report.phase === phase)
            .map((report) => ({
                phase,
                state: report.state,
                started_at: report.started_at.toISOString(),
                finished_at: report.finished_at?.toISOString() ?? null,
                message: report.message,
                log_tail: report.log_tail,
            })),
    );
}

/** What is known of a node. `views` are those of all nodes of its cluster. */
export function nodeStatus(
    node: NodeRow,
    reports: readonly ReportRow[],
    views: readonly RolloutNode[],
    now: Date,
) {
    const view = rolloutView(node, now);
    const holder = holderOf(view, views);
    return {
        slot: node.slot,
        node_name: node.node_name,
        role: node.role,
        vm_id: node.vm_id,
        address: node.vm_ip,
        desired_generation: node.desired_generation,
        released_generation: node.released_generation,
        reported_generation: node.reported_generation,
        ...(holder ? { held_by: holder.slot } : {}),
        // What a node that has fallen silent last reported says nothing of it now.
        healthy: view.healthy && !view.silent,
        health: node.health ?? {},
        phases: phasesOf(reports.filter((report) => report.node_id === node.id)),
        last_seen_at: node.last_seen_at?.toISOString() ?? null,
        ...(node.last_refusal_at
            ? {
                  last_refusal: {
                      at: node.last_refusal_at.toISOString(),
                      reason: node.last_refusal_reason ?? "",
                  },
              }
            : {}),
    };
}

/** A node as the operator's API and the page tell of it. */
export type NodeStatus = ReturnType<typeof nodeStatus>;

/** The reports of all nodes of some clusters. */
export async function reportsOf(db: Db, clusterIds: readonly number[]): Promise<ReportRow[]> {
    if (clusterIds.length === 0) {
        return [];
    }
    return db
        .selectFrom("bootstrap_reports")
        .innerJoin("nodes", "nodes.id", "bootstrap_reports.node_id")
        .selectAll("bootstrap_reports")
        .where("nodes.kubecluster_id", "in", clusterIds)
        .execute();
}

/** Nodes in the order of their slots. */
export function inSlotOrder<T extends { slot: string }>(nodes: readonly T[]): T[] {
    return [...nodes].sort((a, b) => compareSlots(a.slot, b.slot));
}

/** What is known of a cluster and its nodes, by their own reports only. Throws 404. */
export async function clusterStatus(context: Context, clusterId: number) {
    const cluster = await findCluster(context, clusterId);
    const now = await context.clock(context.db);
    const nodes = await nodesOf(context.db, clusterId);
    const views = nodes.map((node) => rolloutView(node, now));
    const reports = await reportsOf(context.db, [clusterId]);
    return {
        cluster_id: cluster.id,
        name: clusterName(cluster.org_id, cluster.id),
        etcd_state: cluster.etcd_state,
        nodes: inSlotOrder(nodes).map((node) => nodeStatus(node, reports, views, now)),
    };
}
