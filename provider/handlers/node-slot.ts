import { createHash, randomBytes } from "node:crypto";

import type { BootstrapServer, Context } from "../context";
import type { Handler } from "../handler";
import { briefly, deleteOrWarn, unlessGone } from "./forgiving";

export interface NodeSlotInputs {
    bootstrap: BootstrapServer;
    clusterId: number;
    /** Short name of the node, for example `cp-1`. */
    slot: string;
    role: string;
    /** Name of the node in Kubernetes, for example `cp-1.cluster-42.internal`. */
    nodeName: string;
}

export interface NodeSlotOutputs {
    /** 32 random bytes in hex: the VM's first factor. The server keeps only its SHA-256. */
    slotSecret: string;
}

/** Tells the bootstrap server to expect a node, before its VM exists. */
export const nodeSlot: Handler<NodeSlotInputs, NodeSlotOutputs> = {
    changes: {
        bootstrap: "update",
        clusterId: "replace",
        slot: "replace",
        role: "replace",
        nodeName: "replace",
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

    delete: (_id, { bootstrap, clusterId, slot }, context) =>
        deleteOrWarn(`node slot ${slot}`, context, () =>
            context.bootstrap(bootstrap, briefly)("deleteSlot", { cluster_id: clusterId, slot }),
        ),
};

async function putSlot(inputs: NodeSlotInputs, secret: string, context: Context): Promise<void> {
    await context.bootstrap(inputs.bootstrap)("putSlot", {
        cluster_id: inputs.clusterId,
        slot: inputs.slot,
        role: inputs.role,
        node_name: inputs.nodeName,
        secret_sha256: createHash("sha256").update(secret).digest("hex"),
    });
}
