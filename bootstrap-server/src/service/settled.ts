import { setImmediate as nextTurn } from "node:timers/promises";

import { CompiledQuery, type Selectable } from "kysely";

import { revisionOf } from "#contract/manifest";

import type { Context } from "../context";
import { etcdAnswer } from "../rules/founding";
import type { Release } from "../rules/release";
import { generationToServe } from "../rules/rollout";
import { matchesDigest, sha256 } from "../secrets";
import { prepare } from "../store/prepared";
import type { ClusterRow, GenerationsTable, NodeRow } from "../store/schema";
import { foundingOf, rolloutView } from "./rows";
import { peersOf } from "./served";

/** How old it may be when a node was last seen before it is written anew, in milliseconds. */
const seenMs = 10_000;

/** What of a node decides about bundles. */
type Row = Pick<NodeRow, (typeof columns)[number]> &
    Pick<ClusterRow, "etcd_state" | "founding_set"> &
    Pick<Selectable<GenerationsTable>, "change"> & {
        asking_sha256: string;
        is_asking: boolean;
        now: Date;
    };

const columns = [
    "id",
    "kubecluster_id",
    "slot",
    "role",
    "node_name",
    "vm_id",
    "vm_ip",
    "agent_token_sha256",
    "desired_generation",
    "released_generation",
    "reported_generation",
    "healthy",
    "booted",
    "released_at",
    "last_seen_at",
] as const;

/** The nodes of the clusters that tokens' nodes belong to. Agents make the server run it most. */
const clustersOfTokens = prepare(
    "clusters_of_tokens",
    `SELECT ${columns.map((column) => `node.${column}`).join(", ")},
        clusters.etcd_state, clusters.founding_set,
        CASE WHEN node.id = asking.id THEN (
            SELECT change FROM bootstrap_generations
            WHERE node_id = asking.id AND generation = asking.released_generation
        ) END AS change,
        asking.agent_token_sha256 AS asking_sha256, node.id = asking.id AS is_asking, clock_timestamp() AS now
    FROM nodes asking
    JOIN clusters ON clusters.id = asking.kubecluster_id
    JOIN nodes node ON node.kubecluster_id = clusters.id AND node.slot IS NOT NULL
    WHERE asking.agent_token_sha256 = ANY($1) AND asking.slot IS NOT NULL
        AND clusters.org_id = $2 AND clusters.registration_key IS NOT NULL`,
);

/** How many tokens one query asks for: its rows are read at one go. */
const togetherAtMost = 64;

/** Digests that are asked for in this turn of the event loop, and their answer. */
const turns = new WeakMap<Context, { digests: Set<string>; answer: Promise<Map<string, Row[]>> }>();

async function readClusters(context: Context, digests: Set<string>): Promise<Map<string, Row[]>> {
    await nextTurn();
    turns.delete(context);
    const query = CompiledQuery.raw(clustersOfTokens, [[...digests], context.orgId]);
    const { rows } = await context.db.executeQuery<Row>(query);
    const byDigest = new Map<string, Row[]>();
    for (const row of rows) {
        const of = byDigest.get(row.asking_sha256);
        if (of) {
            of.push(row);
        } else {
            byDigest.set(row.asking_sha256, [row]);
        }
    }
    return byDigest;
}

/** The cluster of one token: agents that ask together are answered by one query, made after all of them asked. */
async function clusterOfToken(context: Context, digest: string): Promise<readonly Row[]> {
    let turn = turns.get(context);
    if (!turn || turn.digests.size >= togetherAtMost) {
        const digests = new Set<string>();
        turn = { digests, answer: readClusters(context, digests) };
        turns.set(context, turn);
    }
    turn.digests.add(digest);
    return (await turn.answer).get(digest) ?? [];
}

function etcdOf(node: Row): { isDecided: boolean; etcd: Release["etcd"] } {
    if (node.role !== "control-plane") {
        return { isDecided: true, etcd: undefined };
    }
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
): Promise<{ node: Row; release: Release } | undefined> {
    const rows = await clusterOfToken(context, sha256(token));
    const node = rows.find((row) => row.is_asking);
    if (!node || !matchesDigest(token, node.agent_token_sha256 ?? "")) {
        return undefined;
    }

    const now = await context.clock(context.db, node.now);
    const view = rolloutView(node, now);
    const views = rows.map((row) => rolloutView(row, now));
    const generation = generationToServe(view, views);
    if (generation === null || generation !== node.released_generation) {
        return undefined;
    }
    const { isDecided, etcd } = etcdOf(node);
    if (!view.bound || view.silent || !isDecided) {
        return undefined;
    }

    const seenBefore = now.getTime() - (node.last_seen_at?.getTime() ?? -Infinity);
    if (seenBefore > seenMs) {
        await context.db
            .updateTable("nodes")
            .set({ last_seen_at: now.toISOString() })
            .where("id", "=", node.id)
            .where("agent_token_sha256", "=", node.agent_token_sha256)
            .execute();
    }
    const peers = peersOf(rows);
    return { node, release: { generation, revision: revisionOf(generation, peers), peers, etcd } };
}
