import { briefly, deleteOrWarn } from "../bootstrap/delete-or-warn";
import {
    type FileInputs,
    filesForServer,
    generationOf,
    manifestForServer,
} from "../bootstrap/files";
import { unlessGone } from "../calls/outcomes";
import type { BootstrapServer, Context } from "../context";
import { type Handler, isUnknown, unknownValue } from "../handler";

export interface NodeBundleInputs extends FileInputs {
    bootstrap: BootstrapServer;
    clusterId: number;
    slot: string;
    /** The VM that may fetch the bundle. A new one re-arms the slot. */
    vmId: string;
    /** Private IPv4 address at which the other nodes reach this one. */
    address: string;
    /** The manifest of the files of its role. */
    roleManifest: FileInputs["manifest"];
    /** SHA-256 of the manifest of all its files, in canonical form. Derived by `check`, so that previews know it. */
    generation?: string;
}

/** What one node is to be: its own files, and the manifest of all. Put at once, so no node sees half of a change. */
export const nodeBundle: Handler<NodeBundleInputs> = {
    putsAtServer: true,
    changes: {
        bootstrap: "update",
        clusterId: "replace",
        slot: "replace",
        vmId: "update",
        address: "update",
        generation: "update",
        // The generation stands for these.
        manifest: "ignore",
        roleManifest: "ignore",
        files: "ignore",
        secretFiles: "ignore",
        secretDigests: "ignore",
    },
    writeOnly: ["manifest", "roleManifest", "files", "secretFiles", "secretDigests"],

    check: (inputs) =>
        Promise.resolve({
            inputs: {
                ...inputs,
                generation: isUnknown([inputs.manifest, inputs.roleManifest])
                    ? unknownValue
                    : generationOf(wholeManifest(inputs)),
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
        files: filesForServer(inputs),
        manifest: manifestForServer(wholeManifest(inputs)),
        generation: inputs.generation ?? generationOf(wholeManifest(inputs)),
    });
}

/** The manifest of all files of a node. @throws Error when the node and its role have the same path */
function wholeManifest({ roleManifest, manifest }: NodeBundleInputs): FileInputs["manifest"] {
    const twice = Object.keys(manifest).find((path) => path in roleManifest);
    if (twice !== undefined) {
        throw new Error(`file ${twice} is given by the node and by its role`);
    }
    return { ...roleManifest, ...manifest };
}
