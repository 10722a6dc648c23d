import type { NodeBundleRequest } from "#contract/operator";
import { poolOf } from "#contract/pools";
import type { Change } from "#contract/schemas";

import { isAddress } from "../addresses";
import type { Context } from "../context";
import { ApiError } from "../errors";
import { checkBundle, manifestOf } from "../rules/bundle";
import { deleteUnusedContents, putContents } from "../store/contents";
import type { ClusterRow, Db, NodeRow, Trx } from "../store/schema";
import { findCluster } from "./clusters";
import { digestsOf, findPoolFiles } from "./pool-files";
import { advanceFounding, inCluster, nodeInSlot, nodesOf } from "./rows";

/** Columns that belong to the VM in a slot: forgotten when another VM takes its place. */
const forgotten = {
    agent_token_sha256: null,
    next_agent_token_sha256: null,
    released_generation: null,
    released_at: null,
    etcd_ran: false,
    reported_generation: null,
    healthy: false,
    booted: false,
    health: null,
    ready_at: null,
    last_seen_at: null,
    last_refusal_at: null,
    last_refusal_reason: null,
};

async function forgetVm(trx: Trx, node: NodeRow): Promise<void> {
    await trx.deleteFrom("bootstrap_reports").where("node_id", "=", node.id).execute();
    await trx.deleteFrom("bootstrap_leases").where("holder_node_id", "=", node.id).execute();
    await trx.updateTable("nodes").set(forgotten).where("id", "=", node.id).execute();
}

async function refuseForeignVm(trx: Trx, node: NodeRow, vmId: number): Promise<void> {
    const other = await trx
        .selectFrom("nodes")
        .select(["kubecluster_id", "slot"])
        .where("vm_id", "=", vmId)
        .where("slot", "is not", null)
        .where("id", "!=", node.id)
        .executeTakeFirst();
    if (!other) {
        return;
    }
    throw new ApiError(
        409,
        "bootstrap.vm.bound_elsewhere",
        `VM ${vmId} fills slot ${other.slot} of cluster ${other.kubecluster_id}: delete that bundle first`,
    );
}

/** Binds a VM to a slot. Another VM than before re-arms the slot and forgets the former one. */
async function bindVm(
    context: Context,
    trx: Trx,
    cluster: ClusterRow,
    node: NodeRow,
    request: NodeBundleRequest,
): Promise<void> {
    await refuseForeignVm(trx, node, request.vm_id);
    if (node.vm_id !== request.vm_id) {
        await forgetVm(trx, node);
    }
    if (!cluster.first_bound_at) {
        const now = await context.clock(trx);
        await trx
            .updateTable("clusters")
            .set({ first_bound_at: now.toISOString() })
            .where("id", "=", cluster.id)
            .execute();
    }
    await trx
        .updateTable("nodes")
        .set({
            vm_id: request.vm_id,
            vm_ip: request.address,
            desired_generation: request.generation,
            bound_vm_ids: JSON.stringify([...new Set([...node.bound_vm_ids, request.vm_id])]),
        })
        .where("id", "=", node.id)
        .execute();
}

/** Keeps the manifests that may still be served: the desired and the released one. */
async function keepServedGenerations(trx: Trx, node: NodeRow): Promise<void> {
    const { desired_generation, released_generation } = await trx
        .selectFrom("nodes")
        .select(["desired_generation", "released_generation"])
        .where("id", "=", node.id)
        .executeTakeFirstOrThrow();
    const served = [desired_generation, released_generation].filter((one) => one !== null);
    let unserved = trx.deleteFrom("bootstrap_generations").where("node_id", "=", node.id);
    if (served.length > 0) {
        unserved = unserved.where("generation", "not in", served);
    }
    await unserved.execute();
}

/**
 * Takes a node's bundle and binds its VM. The desired generation switches only when every digest of
 * the manifest is held, in the same transaction.
 * Throws 422 for an incomplete or contradictory bundle, 409 when the VM fills another slot, 404.
 */
export async function putNodeBundle(
    context: Context,
    clusterId: number,
    slot: string,
    request: NodeBundleRequest,
) {
    if (!isAddress(request.address)) {
        throw new ApiError(
            422,
            "bootstrap.bundle.invalid_address",
            `address is "${request.address}": send one IPv4 or IPv6 address, without prefix length`,
        );
    }
    const nodeFiles = manifestOf(request.files);
    return inCluster(context, clusterId, async (trx, cluster) => {
        const node = await nodeInSlot(trx, clusterId, slot);
        const pool = await findPoolFiles(trx, clusterId, poolOf(slot));
        const { generation, manifest } = request;
        const poolFiles = pool?.files ?? {};
        const problem = checkBundle({ generation, manifest, nodeFiles, poolFiles });
        if (problem) {
            throw new ApiError(422, problem.code, problem.message);
        }

        await putContents(trx, context.keyring, clusterId, request.files, nodeFiles);
        await bindVm(context, trx, cluster, node, request);
        const change = { change: changeOf(request) };
        await trx
            .insertInto("bootstrap_generations")
            .values({
                node_id: node.id,
                generation,
                manifest: JSON.stringify(manifest),
                ...change,
            })
            .onConflict((conflict) =>
                conflict.columns(["node_id", "generation"]).doUpdateSet(change),
            )
            .execute();
        await keepServedGenerations(trx, node);
        await deleteUnusedContents(trx, clusterId);
        await advanceFounding(trx, cluster, await nodesOf(trx, cluster.id), "binding");
        return { slot, vm_id: request.vm_id, address: request.address, generation };
    });
}

/** What a program says of a change, as it is stored. */
function changeOf({ disturbs, tier, needs }: NodeBundleRequest): string | null {
    const change: Change = {
        ...(disturbs === undefined ? {} : { disturbs }),
        ...(tier === undefined ? {} : { tier }),
        ...(needs === undefined ? {} : { needs }),
    };
    return Object.keys(change).length === 0 ? null : JSON.stringify(change);
}

/** The manifest of a generation of a node, and what is said of the change. Throws when it is not held. */
export async function readGeneration(db: Db, nodeId: number, generation: string) {
    return db
        .selectFrom("bootstrap_generations")
        .select(["manifest", "change"])
        .where("node_id", "=", nodeId)
        .where("generation", "=", generation)
        .executeTakeFirstOrThrow();
}

/** Reads a node's bundle, digests in place of contents. Throws 404. */
export async function readNodeBundle(context: Context, clusterId: number, slot: string) {
    await findCluster(context, clusterId);
    const node = await nodeInSlot(context.db, clusterId, slot);
    const { vm_id, vm_ip: address, desired_generation: generation } = node;
    if (vm_id === null || address === null || generation === null) {
        throw new ApiError(
            404,
            "bootstrap.bundle.not_found",
            `slot ${slot} of cluster ${clusterId} has no bundle: put it first`,
        );
    }
    const { manifest, change } = await readGeneration(context.db, node.id, generation);
    return { slot, vm_id, address, generation, ...change, digests: digestsOf(manifest) };
}

/** Unbinds the VM of a slot and deletes its bundle; the slot stays. Throws 404 without the slot. */
export async function deleteNodeBundle(
    context: Context,
    clusterId: number,
    slot: string,
): Promise<void> {
    await inCluster(context, clusterId, async (trx, cluster) => {
        const node = await nodeInSlot(trx, clusterId, slot);
        await forgetVm(trx, node);
        await trx
            .updateTable("nodes")
            .set({ vm_id: null, vm_ip: null, desired_generation: null })
            .where("id", "=", node.id)
            .execute();
        await keepServedGenerations(trx, node);
        await deleteUnusedContents(trx, clusterId);
        await advanceFounding(trx, cluster, await nodesOf(trx, cluster.id), "binding");
    });
}
