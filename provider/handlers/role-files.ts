import type { Manifest } from "../bootstrap/operations";
import type { BootstrapServer, Context } from "../context";
import type { Handler } from "../handler";
import { filesForServer, manifestOfServer, type FileContents } from "./bootstrap-files";
import { briefly, deleteOrWarn, unlessGone } from "./forgiving";

export interface RoleFilesInputs extends FileContents {
    bootstrap: BootstrapServer;
    clusterId: number;
    role: string;
    /** Every node of the role. For control planes this is the set that founds etcd. */
    slots: string[];
    /** Digest, mode and owner of each file. */
    manifest: Manifest;
}

/** The files that are equal on all nodes of a role, stored once. */
export const roleFiles: Handler<RoleFilesInputs> = {
    changes: {
        bootstrap: "update",
        clusterId: "replace",
        role: "replace",
        slots: "update",
        manifest: "update",
        files: "ignore", // the manifest holds their digests
        secretFiles: "ignore",
    },
    writeOnly: ["files", "secretFiles"],

    async create(inputs, context) {
        await put(inputs, context);
        return { id: `${inputs.clusterId}/${inputs.role}`, outputs: {} };
    },

    async read(id, { bootstrap, clusterId, role, manifest }, context) {
        const found = await unlessGone(
            context.bootstrap(bootstrap)("getRoleFiles", { cluster_id: clusterId, role }),
        );
        return (
            found && {
                id,
                outputs: {
                    slots: found.slots,
                    manifest: manifestOfServer(manifest, found.digests),
                },
            }
        );
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

async function put(inputs: RoleFilesInputs, context: Context): Promise<void> {
    await context.bootstrap(inputs.bootstrap)("putRoleFiles", {
        cluster_id: inputs.clusterId,
        role: inputs.role,
        slots: inputs.slots,
        files: filesForServer(inputs, inputs.manifest),
    });
}
