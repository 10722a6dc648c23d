import type { Manifest } from "../bootstrap/operations";
import type { BootstrapServer, Context } from "../context";
import { isUnknown, unknownValue, type Handler } from "../handler";
import { generationOf, filesForServer, type FileContents } from "./bootstrap-files";
import { briefly, deleteOrWarn, unlessGone } from "./forgiving";

export interface NodeBundleInputs extends FileContents {
    bootstrap: BootstrapServer;
    clusterId: number;
    slot: string;
    /** The VM that may fetch the bundle. A new one re-arms the slot. */
    vmId: string;
    /** Private IPv4 address at which the other nodes reach this one. */
    address: string;
    /** Digest, mode and owner of every file of the node, those of its role included. */
    manifest: Manifest;
    /** SHA-256 of the manifest in its canonical form. Derived by `check`, so that previews know it. */
    generation?: string;
}

/** What one node is to be: its own files and the manifest of all. Put at once, so no node sees half of a change. */
export const nodeBundle: Handler<NodeBundleInputs> = {
    changes: {
        bootstrap: "update",
        clusterId: "replace",
        slot: "replace",
        vmId: "update",
        address: "update",
        generation: "update",
        // The generation stands for these.
        manifest: "ignore",
        files: "ignore",
        secretFiles: "ignore",
    },
    writeOnly: ["manifest", "files", "secretFiles"],

    check: (inputs) =>
        Promise.resolve({
            inputs: {
                ...inputs,
                generation: isUnknown(inputs.manifest)
                    ? unknownValue
                    : generationOf(inputs.manifest),
            },
            failures: [],
        }),

    async create(inputs, context) {
        await put(inputs, context);
        return { id: `${inputs.clusterId}/${inputs.slot}`, outputs: {} };
    },

    async read(id, { bootstrap, clusterId, slot }, context) {
        const found = await unlessGone(
            context.bootstrap(bootstrap)("getBundle", { cluster_id: clusterId, slot }),
        );
        return (
            found && {
                id,
                outputs: {
                    vmId: String(found.vm_id),
                    address: found.address,
                    generation: found.generation,
                },
            }
        );
    },

    async update(id, _state, inputs, context) {
        await put(inputs, context);
        return { id, outputs: {} };
    },

    delete: (_id, { bootstrap, clusterId, slot }, context) =>
        deleteOrWarn(`bundle of ${slot}`, context, () =>
            context.bootstrap(bootstrap, briefly)("deleteBundle", { cluster_id: clusterId, slot }),
        ),
};

async function put(inputs: NodeBundleInputs, context: Context): Promise<void> {
    await context.bootstrap(inputs.bootstrap)("putBundle", {
        cluster_id: inputs.clusterId,
        slot: inputs.slot,
        vm_id: Number(inputs.vmId),
        address: inputs.address,
        files: filesForServer(inputs, inputs.manifest),
        manifest: inputs.manifest,
        generation: inputs.generation ?? generationOf(inputs.manifest),
    });
}
