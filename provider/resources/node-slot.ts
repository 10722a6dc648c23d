import { randomBytes } from "node:crypto";

import { sha256 } from "../../contract/manifest";
import type { Role } from "../../contract/roles";
import type { Vm } from "../api/schemas";
import { briefly, deleteOrWarn } from "../bootstrap/delete-or-warn";
import { unlessGone } from "../calls/outcomes";
import { terminate } from "../calls/terminate-vm";
import type { BootstrapServer, Context } from "../context";
import type { Handler } from "../handler";

export interface NodeSlotInputs {
    bootstrap: BootstrapServer;
    clusterId: number;
    /** Short name of the node, for example `cp-1`. */
    slot: string;
    role: Role;
    /** Name of the node in Kubernetes, for example `cp-1.cluster-42.internal`. */
    nodeName: string;
    /** Name of the VM that fills the slot. */
    vmName: string;
    /** Seconds to wait until a VM is terminated. */
    timeouts: { delete: number };
}

export interface NodeSlotOutputs {
    /** 32 random bytes in hex: the VM's first factor. The server keeps only its SHA-256. */
    slotSecret: string;
}

/** Tells the bootstrap server to expect a node, before its VM exists. */
export const nodeSlot: Handler<NodeSlotInputs, NodeSlotOutputs> = {
    putsAtServer: true,
    changes: {
        bootstrap: "update",
        clusterId: "replace",
        slot: "replace",
        role: "replace",
        nodeName: "replace",
        vmName: "ignore",
        timeouts: "ignore",
    },

    async create(inputs, context) {
        const slotSecret = randomBytes(32).toString("hex");
        await putSlot(inputs, slotSecret, context);
        return { id: `${inputs.clusterId}/${inputs.slot}`, outputs: { slotSecret } };
    },

    async read(id, { bootstrap, clusterId, slot, slotSecret }, context) {
        const found = await unlessGone(
            context.bootstrap(bootstrap)("getSlot", { cluster_id: clusterId, slot }),
        );
        return found && { id, outputs: { slotSecret } };
    },

    async update(id, { slotSecret }, inputs, context) {
        await putSlot(inputs, slotSecret, context);
        return { id, outputs: { slotSecret } };
    },

    async delete(_id, state, context) {
        await terminateLeftovers(state, context);
        const { bootstrap, clusterId, slot } = state;
        await deleteOrWarn(`node slot ${slot}`, context, () =>
            context.bootstrap(bootstrap, briefly)("deleteSlot", { cluster_id: clusterId, slot }),
        );
    },
};

/**
 * A VM of the slot's name that never filled it was left by an interrupted creation that no `up` followed:
 * nothing else knows of it any more. One that filled the slot is the VM resource's matter.
 */
async function terminateLeftovers(
    { bootstrap, clusterId, slot, vmName, timeouts }: NodeSlotInputs,
    context: Context,
): Promise<void> {
    const isTheirs = (vm: Vm) => vm.name === vmName && vm.state !== "TERMINATED";
    const found = (await context.excloud()("vmList", {})).filter(isTheirs);
    if (found.length === 0) {
        return;
    }
    const known = await context
        .bootstrap(bootstrap, briefly)("getSlot", { cluster_id: clusterId, slot })
        .catch(() => undefined);
    for (const vm of found) {
        const what = `VM ${vmName} (${vm.vm_id}), which is not in the state,`;
        if (known === undefined || known.bound_vm_ids.includes(vm.vm_id)) {
            context.log(`warning: ${what} stays. Next: terminate it when it is not needed`);
            continue;
        }
        context.log(`${what} was left by an interrupted run: terminated`);
        const { vm_id, zone_id } = vm;
        await terminate(
            { id: String(vm_id), name: vmName, zoneId: zone_id, seconds: timeouts.delete },
            context,
        );
    }
}

async function putSlot(inputs: NodeSlotInputs, secret: string, context: Context): Promise<void> {
    await context.bootstrap(inputs.bootstrap)("putSlot", {
        cluster_id: inputs.clusterId,
        slot: inputs.slot,
        role: inputs.role,
        node_name: inputs.nodeName,
        secret_sha256: sha256(secret),
    });
}
