import { isDeepStrictEqual } from "node:util";

import { sha256 } from "../../contract/manifest";
import { controlPlanePool } from "../../contract/pools";
import type { Role } from "../../contract/roles";
import { briefly, deleteOrWarn } from "../bootstrap/delete-or-warn";
import { digestsIn, type FileInputs, filesForServer, generationOf } from "../bootstrap/files";
import { unlessGone } from "../calls/outcomes";
import type { BootstrapServer, Context } from "../context";
import { ApiError } from "../errors";
import { type Failure, type Handler, isUnknown, unknownValue } from "../handler";

export interface RoleFilesInputs extends FileInputs {
    bootstrap: BootstrapServer;
    clusterId: number;
    /** Whose nodes have the files. States of 0.1 lack it: they have control planes only. */
    pool: string;
    role: Role;
    /** Every node of the pool. For control planes this is the set that founds etcd. */
    slots: string[];
    /** SHA-256 of the manifest. Derived by `check`; stands for the files in the state. */
    digest?: string;
}

/** The files that are equal on all nodes of a pool, stored once. */
export const roleFiles: Handler<RoleFilesInputs> = {
    putsAtServer: true,
    changes: {
        bootstrap: "update",
        clusterId: "replace",
        pool: "replace",
        role: "replace",
        slots: "update",
        digest: "update",
        // The digest stands for these.
        manifest: "ignore",
        files: "ignore",
        secretFiles: "ignore",
        secretDigests: "ignore",
    },
    defaults: { pool: controlPlanePool },
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
        return { id: `${inputs.clusterId}/${inputs.pool}`, outputs: {} };
    },

    async read(id, { bootstrap, clusterId, pool, role, manifest }, context) {
        const call = context.bootstrap(bootstrap);
        const ofPool = call("getPoolFiles", { cluster_id: clusterId, pool });
        const found = await unlessGone(
            ofPool.catch((error: unknown) => {
                if (error instanceof ApiError && error.isUnknownRoute) {
                    // A server of 0.1, where a role has one pool.
                    return call("getRoleFiles", { cluster_id: clusterId, role });
                }
                throw error;
            }),
        );
        if (found === undefined) {
            return undefined;
        }
        const isOurs = isDeepStrictEqual(found.digests, digestsIn(manifest));
        const digest = sha256(JSON.stringify(found.digests));
        return { id, outputs: { slots: found.slots, ...(isOurs ? {} : { digest }) } };
    },

    async update(id, _state, inputs, context) {
        await put(inputs, context);
        return { id, outputs: {} };
    },

    delete: (_id, { bootstrap, clusterId, pool }, context) =>
        deleteOrWarn(`files of pool ${pool}`, context, () =>
            context.bootstrap(bootstrap, briefly)("deletePoolFiles", {
                cluster_id: clusterId,
                pool,
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
    await context.bootstrap(inputs.bootstrap)("putPoolFiles", {
        cluster_id: inputs.clusterId,
        pool: inputs.pool,
        role: inputs.role,
        slots: inputs.slots,
        files: filesForServer(inputs),
    });
}
