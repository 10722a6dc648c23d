import type { BootstrapServer, Context } from "../context";
import { isUnknown, unknownValue, type Failure, type Handler } from "../handler";
import {
    digestOf,
    digestsIn,
    filesForServer,
    generationOf,
    type FileInputs,
} from "./bootstrap-files";
import { briefly, deleteOrWarn, unlessGone } from "./forgiving";

export interface RoleFilesInputs extends FileInputs {
    bootstrap: BootstrapServer;
    clusterId: number;
    role: string;
    /** Every node of the role. For control planes this is the set that founds etcd. */
    slots: string[];
    /** SHA-256 of the manifest. Derived by `check`; stands for the files in the state. */
    digest?: string;
}

/** The files that are equal on all nodes of a role, stored once. */
export const roleFiles: Handler<RoleFilesInputs> = {
    changes: {
        bootstrap: "update",
        clusterId: "replace",
        role: "replace",
        slots: "update",
        digest: "update",
        // The digest stands for these.
        manifest: "ignore",
        files: "ignore",
        secretFiles: "ignore",
        secretDigests: "ignore",
    },
    writeOnly: ["files", "secretFiles", "secretDigests"],

    check: (inputs, old) =>
        Promise.resolve({
            inputs: {
                ...inputs,
                digest: isUnknown(inputs.manifest) ? unknownValue : generationOf(inputs.manifest),
            },
            failures: removedControlPlanes(inputs, old),
        }),

    async create(inputs, context) {
        await put(inputs, context);
        return { id: `${inputs.clusterId}/${inputs.role}`, outputs: {} };
    },

    async read(id, { bootstrap, clusterId, role, manifest }, context) {
        const found = await unlessGone(
            context.bootstrap(bootstrap)("getRoleFiles", { cluster_id: clusterId, role }),
        );
        if (found === undefined) {
            return undefined;
        }
        const digest = digestOf(found.digests);
        const isOurs = digest === digestOf(digestsIn(manifest));
        return { id, outputs: { slots: found.slots, ...(isOurs ? {} : { digest }) } };
    },

    async update(id, _state, inputs, context) {
        await put(inputs, context);
        return { id, outputs: {} };
    },

    delete: (_id, { bootstrap, clusterId, role }, context) =>
        deleteOrWarn(`files of role ${role}`, context, () =>
            context.bootstrap(bootstrap, briefly)("deleteRoleFiles", {
                cluster_id: clusterId,
                role,
            }),
        ),
};

/** Removing members' machines takes etcd's quorum with them: two of three are gone at once. */
function removedControlPlanes(
    inputs: RoleFilesInputs,
    old: RoleFilesInputs | undefined,
): Failure[] {
    const removed = (old?.slots ?? []).filter((slot) => !inputs.slots.includes(slot));
    return inputs.role === "control-plane" && removed.length > 0
        ? [
              {
                  property: "slots",
                  reason:
                      `${removed.join(", ")} cannot be removed: etcd would lose its quorum. ` +
                      `Next: set controlPlaneCount to ${old?.slots.length} again`,
              },
          ]
        : [];
}

async function put(inputs: RoleFilesInputs, context: Context): Promise<void> {
    await context.bootstrap(inputs.bootstrap)("putRoleFiles", {
        cluster_id: inputs.clusterId,
        role: inputs.role,
        slots: inputs.slots,
        files: filesForServer(inputs),
    });
}
