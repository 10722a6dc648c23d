import type { Updateable } from "kysely";

import type { Bundle } from "#contract/bundle";
import {
    type ManifestEntry,
    type Peer,
    revisionOf,
    sortedPaths,
    sortPeers,
} from "#contract/manifest";
import { clusterName } from "#contract/names";

import type { Context } from "../context";
import { etcdAnswer } from "../rules/founding";
import type { Release } from "../rules/release";
import { generationToServe, releaseTime } from "../rules/rollout";
import { readContents } from "../store/contents";
import type { ClusterRow, NodeRow, NodesTable, Trx } from "../store/schema";
import { readGeneration } from "./node-bundles";
import { advanceFounding, rolloutView } from "./rows";

/**
 * The control planes that have an address, as each node of their cluster is told of them. Workers are not among
 * them: what becomes of a worker changes no other node's revision.
 */
export function peersOf(nodes: readonly Pick<NodeRow, "node_name" | "vm_ip" | "role">[]): Peer[] {
    return sortPeers(
        nodes.flatMap((node) =>
            node.vm_ip === null || node.role !== "control-plane"
                ? []
                : [{ name: node.node_name, address: node.vm_ip, role: node.role }],
        ),
    );
}

/**
 * Decides, under the cluster's lock, what a bound node is served now and records it as released, with what
 * the caller has to say of the node besides. Returns undefined while it must wait: no bundle yet, or etcd's
 * founding does not admit it yet; then nothing is recorded.
 */
export async function release(
    trx: Trx,
    cluster: ClusterRow,
    nodes: readonly NodeRow[],
    node: NodeRow,
    now: Date,
    besides: Updateable<NodesTable> = {},
): Promise<Release | undefined> {
    const views = nodes.map((one) => rolloutView(one, now));
    const generation = generationToServe(rolloutView(node, now), views);
    if (generation === null || node.vm_id === null) {
        return undefined;
    }

    let etcd: Release["etcd"];
    if (node.role === "control-plane") {
        const founding = await advanceFounding(trx, cluster, nodes, "release");
        const answer = etcdAnswer(founding, node.slot, node.vm_id);
        if (answer.state === "wait") {
            return undefined;
        }
        etcd = answer;
    }
    const effect: Updateable<NodesTable> = { ...besides };
    if (generation !== node.released_generation) {
        effect.released_generation = generation;
        if (node.booted) {
            effect.released_at = releaseTime(views, now).toISOString();
        }
    }
    if (Object.keys(effect).length > 0) {
        await trx.updateTable("nodes").set(effect).where("id", "=", node.id).execute();
    }
    const peers = peersOf(nodes);
    return { generation, revision: revisionOf(generation, peers), peers, etcd };
}

/** Reads the contents of a release and puts the bundle together. */
export async function assembleBundle(
    context: Context,
    trx: Trx,
    node: NodeRow,
    { generation, revision, peers, etcd }: Release,
): Promise<Bundle> {
    const { manifest, change } = await readGeneration(trx, node.id, generation);
    return {
        schema: 1,
        cluster_id: node.kubecluster_id,
        cluster_name: clusterName(context.orgId, node.kubecluster_id),
        node_name: node.node_name,
        role: node.role,
        generation,
        revision,
        files: await readContents(trx, context.keyring, node.kubecluster_id, manifest),
        attributes: Object.fromEntries(
            sortedPaths(manifest).map((path) => {
                const { mode, owner } = manifest[path] as ManifestEntry;
                return [path, { mode, owner }];
            }),
        ),
        peers,
        ...change,
        ...(etcd ? { etcd } : {}),
    };
}
