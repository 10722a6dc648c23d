import { sql } from "kysely";
import { etcdAnswer } from "../rules/founding";
import { revisionOf } from "../rules/generation";
import { generationToServe } from "../rules/rollout";
import { matchesDigest, sha256 } from "../secrets";
import { foundingOf, rolloutView, type ClusterRow, type NodeRow } from "./rows";
import { peersOf, type Release } from "./served";
import type { Context } from "../context";

/** How old it may be when a node was last seen before it is written anew, in milliseconds. */
const seenMilliseconds = 10_000;

type Row = NodeRow &
    Pick<ClusterRow, "etcd_state" | "founding_set"> & { isAsking: boolean; now: Date };

/** The nodes of the cluster that a token's node belongs to, with what decides about bundles. */
async function clusterOfToken(context: Context, digest: string): Promise<Row[]> {
    return context.db
        .selectFrom("nodes as asking")
        .innerJoin("clusters", "clusters.id", "asking.kubecluster_id")
        .innerJoin("nodes as node", "node.kubecluster_id", "clusters.id")
        .selectAll("node")
        .select(["clusters.etcd_state", "clusters.founding_set"])
        .select([
            sql<boolean>`node.id = asking.id`.as("isAsking"),
            sql<Date>`clock_timestamp()`.as("now"),
        ])
        .where("asking.agent_token_sha256", "=", digest)
        .where("asking.slot", "is not", null)
        .where("node.slot", "is not", null)
        .where("clusters.org_id", "=", context.orgId)
        .where("clusters.registration_key", "is not", null)
        .execute();
}

function etcdOf(node: Row): { isDecided: boolean; etcd: Release["etcd"] } {
    if (node.role !== "control-plane") return { isDecided: true, etcd: undefined };
    const answer = etcdAnswer(foundingOf(node), node.slot, node.vm_id ?? 0);
    return answer.state === "wait"
        ? { isDecided: false, etcd: undefined }
        : { isDecided: true, etcd: answer };
}

/**
 * What an agent is served when that changes nothing: the generation it was released already, in a
 * cluster whose founding is decided. One query sees it as the transaction under the cluster's lock
 * would, without waiting for the lock. Returns undefined for everything else, a token that is not
 * valid included: then the transaction decides.
 */
export async function settledRelease(
    context: Context,
    token: string,
): Promise<{ node: NodeRow; release: Release } | undefined> {
    const rows = await clusterOfToken(context, sha256(token));
    const node = rows.find(({ isAsking }) => isAsking);
    if (!node || !matchesDigest(token, node.agent_token_sha256 ?? "")) return undefined;

    const now = await context.clock(context.db, node.now);
    const view = rolloutView(node, now);
    const views = rows.map((row) => rolloutView(row, now));
    const generation = generationToServe(view, views);
    if (generation === null || generation !== node.released_generation) return undefined;
    const { isDecided, etcd } = etcdOf(node);
    if (!view.bound || view.silent || !isDecided) return undefined;

    const seenBefore = now.getTime() - (node.last_seen_at?.getTime() ?? -Infinity);
    if (seenBefore > seenMilliseconds) {
        await context.db
            .updateTable("nodes")
            .set({ last_seen_at: now.toISOString() })
            .where("id", "=", node.id)
            .where("agent_token_sha256", "=", node.agent_token_sha256)
            .execute();
    }
    const peers = peersOf(rows);
    const release = { generation, revision: revisionOf(generation, peers), peers, etcd };
    return { node, release };
}
