import { sql } from "kysely";

import { clusterName } from "#contract/names";

import type { Context } from "../context";
import { type NodeState, nodeState, nodeStates, worstState } from "../rules/node-state";
import type { ClusterRow, Db, NodeRow } from "../store/schema";
import { rolloutView } from "./rows";
import { inSlotOrder, type NodeStatus, nodeStatus, reportsOf } from "./status";

/** Most clusters that are told of at once, those in need of attention first. */
const shownClusters = 50;
/** Most decisions about first bundles that are told of. */
const shownDecisions = 25;

/** When the first certificate of a file ends. */
export interface CertificateEnd {
    path: string;
    expiresAt: Date;
}

/** A node as a person watches it. */
export interface NodeOverview extends NodeStatus {
    state: NodeState;
    /** Files with certificates among those the node was given, the one that ends first in front. */
    certificates: readonly CertificateEnd[];
}

/** A cluster as a person watches it. */
export interface ClusterOverview {
    id: number;
    name: string;
    key: string;
    etcdState: ClusterRow["etcd_state"];
    /** The state of its nodes that most needs attention; undefined without nodes. */
    worst: NodeState | undefined;
    nodes: readonly NodeOverview[];
}

/** A decision about a first bundle. */
export type DecisionOverview = Awaited<ReturnType<typeof lastDecisions>>[number];

/** What a person watches while clusters boot. */
export interface Overview {
    now: Date;
    clusters: readonly ClusterOverview[];
    /** How many clusters there are beside those. */
    unshown: number;
    /** How many nodes of all clusters are in each state. */
    counts: ReadonlyMap<NodeState, number>;
    decisions: readonly DecisionOverview[];
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
    const groups = new Map<K, T[]>();
    for (const item of items) {
        const group = groups.get(keyOf(item));
        if (group) {
            group.push(item);
        } else {
            groups.set(keyOf(item), [item]);
        }
    }
    return groups;
}

/** Rows of the server's clusters, the newest first, and of their nodes with what failed there. */
async function readRows({ db, orgId }: Context) {
    const clusters = await db
        .selectFrom("clusters")
        .selectAll()
        .where("org_id", "=", orgId)
        .where("registration_key", "is not", null)
        .orderBy("created_at", "desc")
        .orderBy("id")
        .execute();
    const nodes = await db
        .selectFrom("nodes")
        .innerJoin("clusters", "clusters.id", "nodes.kubecluster_id")
        .selectAll("nodes")
        .where("nodes.slot", "is not", null)
        .where("clusters.org_id", "=", orgId)
        .where("clusters.registration_key", "is not", null)
        .execute();
    const failures = await db
        .selectFrom("bootstrap_reports")
        .select("node_id")
        .where("state", "=", "failed")
        .execute();
    return { clusters, nodes, failed: new Set(failures.map(({ node_id }) => node_id)) };
}

async function certificatesOf(db: Db, clusterIds: readonly number[]) {
    if (clusterIds.length === 0) {
        return new Map<number, CertificateEnd[]>();
    }
    const { rows } = await sql<{ node: number; path: string; expires_at: Date }>`
        SELECT n.id AS node, f.key AS path, c.certificate_expires_at AS expires_at
        FROM nodes n
        JOIN bootstrap_generations g ON g.node_id = n.id
            AND g.generation = COALESCE(n.released_generation, n.desired_generation)
        CROSS JOIN LATERAL jsonb_each(g.manifest) f
        JOIN bootstrap_contents c ON c.kubecluster_id = n.kubecluster_id
            AND c.digest = f.value ->> 'sha256' AND c.certificate_expires_at IS NOT NULL
        WHERE n.kubecluster_id IN (${sql.join(clusterIds)})
        ORDER BY c.certificate_expires_at, f.key`.execute(db);
    return groupBy(
        rows.map(({ node, path, expires_at }) => ({ node, path, expiresAt: expires_at })),
        ({ node }) => node,
    );
}

async function lastDecisions({ db, orgId }: Context) {
    const rows = await db
        .selectFrom("bootstrap_audit as audit")
        .leftJoin("clusters", "clusters.id", "audit.kubecluster_id")
        .select(["audit.at", "audit.decision", "audit.reason", "audit.role", "audit.vm_id"])
        .select(["audit.source_address", "audit.slot", "audit.kubecluster_id"])
        // What claims no VM of ours belongs to nobody, and is shown.
        .where((is) =>
            is.or([is("audit.kubecluster_id", "is", null), is("clusters.org_id", "=", orgId)]),
        )
        .orderBy("audit.id", "desc")
        .limit(shownDecisions)
        .execute();
    return rows.map(({ kubecluster_id, ...row }) => ({
        ...row,
        cluster: kubecluster_id === null ? null : clusterName(orgId, kubecluster_id),
    }));
}

/** The server's clusters with their nodes, and its last decisions about first bundles. */
export async function overview(context: Context): Promise<Overview> {
    const { db } = context;
    const now = await context.clock(db);
    const { clusters, nodes, failed } = await readRows(context);
    const stateOf = (node: NodeRow) => nodeState(node, failed.has(node.id), now);
    const nodesOf = groupBy(nodes, (node) => node.kubecluster_id);

    const judged = clusters.map((cluster) => {
        const own = inSlotOrder(nodesOf.get(cluster.id) ?? []);
        return { cluster, own, worst: worstState(own.map(stateOf)) };
    });
    const rank = (state: NodeState | undefined) =>
        state ? nodeStates.indexOf(state) : nodeStates.length;
    const shown = judged.sort((a, b) => rank(a.worst) - rank(b.worst)).slice(0, shownClusters);
    const ids = shown.map(({ cluster }) => cluster.id);
    const reports = groupBy(await reportsOf(db, ids), (report) => report.node_id);
    const certificates = await certificatesOf(db, ids);

    return {
        now,
        clusters: shown.map(({ cluster, own, worst }) => {
            const views = own.map((node) => rolloutView(node, now));
            return {
                id: cluster.id,
                name: clusterName(cluster.org_id, cluster.id),
                key: cluster.registration_key,
                etcdState: cluster.etcd_state,
                worst,
                nodes: own.map((node) => ({
                    ...nodeStatus(node, reports.get(node.id) ?? [], views, now),
                    state: stateOf(node),
                    certificates: certificates.get(node.id) ?? [],
                })),
            };
        }),
        unshown: clusters.length - shown.length,
        counts: new Map(
            [...groupBy(nodes, stateOf)].map(([state, those]) => [state, those.length]),
        ),
        decisions: await lastDecisions(context),
    };
}
