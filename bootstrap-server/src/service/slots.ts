import { clusterName, nodeName } from "#contract/names";
import type { SlotRequest } from "#contract/operator";
import { controlPlanePool, isSlotOfRole, slotName } from "#contract/pools";

import type { Context } from "../context";
import { ApiError } from "../errors";
import { isArmed } from "../rules/arming";
import { deleteUnusedContents } from "../store/contents";
import type { Db, NodeRow } from "../store/schema";
import { findCluster } from "./clusters";
import { advanceFounding, inCluster, nodeInSlot, nodeOfVm, nodesOf } from "./rows";

async function slotView(context: Context, db: Db, row: NodeRow) {
    const now = await context.clock(db);
    return {
        cluster_id: row.kubecluster_id,
        slot: row.slot,
        role: row.role,
        node_name: row.node_name,
        vm_id: row.vm_id,
        bound_vm_ids: row.bound_vm_ids,
        armed: isArmed({ vmId: row.vm_id, readyAt: row.ready_at }, now),
    };
}

function checkSlot(clusterId: number, slot: string, request: SlotRequest): void {
    const expected = nodeName(slot, clusterId);
    if (isSlotOfRole(slot, request.role) && request.node_name === expected) {
        return;
    }
    throw new ApiError(
        422,
        "bootstrap.slot.invalid",
        `slot ${slot} was sent with role ${request.role} and node name ${request.node_name}: a control plane has a slot such as ${slotName(controlPlanePool, 1)}, a worker one of another pool, and the node of this slot is called ${expected}`,
    );
}

/** Creates a slot, or gives it a new secret; what is bound to it stays. */
export async function putSlot(
    context: Context,
    clusterId: number,
    slot: string,
    request: SlotRequest,
) {
    checkSlot(clusterId, slot, request);
    return inCluster(context, clusterId, async (trx) => {
        const row = await trx
            .insertInto("nodes")
            .values({ kubecluster_id: clusterId, slot, ...request })
            .onConflict((conflict) =>
                conflict
                    .columns(["kubecluster_id", "slot"])
                    .doUpdateSet({ secret_sha256: request.secret_sha256 }),
            )
            .returningAll()
            .executeTakeFirstOrThrow();
        return slotView(context, trx, row);
    });
}

/** Reads a slot. Throws 404. */
export async function readSlot(context: Context, clusterId: number, slot: string) {
    await findCluster(context, clusterId);
    return slotView(context, context.db, await nodeInSlot(context.db, clusterId, slot));
}

/** Deletes a slot with all that is bound to it. Throws 404. */
export async function deleteSlot(context: Context, clusterId: number, slot: string): Promise<void> {
    await inCluster(context, clusterId, async (trx, cluster) => {
        const node = await nodeInSlot(trx, clusterId, slot);
        await trx.deleteFrom("nodes").where("id", "=", node.id).execute();
        await deleteUnusedContents(trx, clusterId);
        await advanceFounding(trx, cluster, await nodesOf(trx, cluster.id), "binding");
    });
}

/** Tells which slot a VM fills. Throws 404 when it fills none. */
export async function findVm(context: Context, vmId: number) {
    const node = await nodeOfVm(context, context.db, vmId);
    if (!node) {
        throw new ApiError(404, "bootstrap.vm.not_found", `VM ${vmId} is bound to no slot`);
    }
    return {
        vm_id: vmId,
        cluster_id: node.kubecluster_id,
        cluster_name: clusterName(context.orgId, node.kubecluster_id),
        slot: node.slot,
    };
}
