import { ApiError } from "../errors";
import { isSlotOfRole, type Role } from "../names";
import { manifestOf, type Files } from "../rules/bundle";
import { sortedPaths, type Manifest, type ManifestEntry } from "../rules/generation";
import { deleteUnusedContents, putContents } from "../store/contents";
import type { Db } from "../store/schema";
import { findCluster } from "./clusters";
import { inCluster } from "./rows";
import type { Context } from "../context";

/** Digests by path, in path order. */
export function digestsOf(manifest: Readonly<Manifest>): Record<string, string> {
    return Object.fromEntries(
        sortedPaths(manifest).map((path) => [path, (manifest[path] as ManifestEntry).sha256]),
    );
}

function roleFilesNotFound(clusterId: number, role: Role): ApiError {
    return new ApiError(
        404,
        "bootstrap.role_files.not_found",
        `cluster ${clusterId} holds no files of the role ${role}: put them first`,
    );
}

/** The stored files of a role, without contents; undefined when there are none. */
export async function findRoleFiles(db: Db, clusterId: number, role: Role) {
    return db
        .selectFrom("bootstrap_role_files")
        .select(["slots", "files"])
        .where("kubecluster_id", "=", clusterId)
        .where("role", "=", role)
        .executeTakeFirst();
}

/**
 * Stores the files that are equal on every node of a role, and which slots the role has. Nothing
 * that is served changes by it: that takes a node's bundle.
 */
export async function putRoleFiles(
    context: Context,
    clusterId: number,
    role: Role,
    request: { slots: string[]; files: Files },
) {
    const wrong = request.slots.filter((slot) => !isSlotOfRole(slot, role));
    if (wrong.length > 0) {
        throw new ApiError(
            422,
            "bootstrap.role_files.invalid",
            `${wrong.join(", ")} cannot be a slot of the role ${role}`,
        );
    }
    const manifest = manifestOf(request.files);
    return inCluster(context, clusterId, async (trx) => {
        await putContents(trx, context.keyring, clusterId, request.files, manifest);
        const columns = { slots: JSON.stringify(request.slots), files: JSON.stringify(manifest) };
        await trx
            .insertInto("bootstrap_role_files")
            .values({ kubecluster_id: clusterId, role, ...columns })
            .onConflict((conflict) =>
                conflict.columns(["kubecluster_id", "role"]).doUpdateSet(columns),
            )
            .execute();
        await deleteUnusedContents(trx, clusterId);
        return { role, slots: request.slots, digests: digestsOf(manifest) };
    });
}

/** Reads which files a role has. Throws 404. */
export async function readRoleFiles(context: Context, clusterId: number, role: Role) {
    await findCluster(context, clusterId);
    const row = await findRoleFiles(context.db, clusterId, role);
    if (!row) throw roleFilesNotFound(clusterId, role);
    return { role, slots: row.slots, digests: digestsOf(row.files) };
}

/** Deletes the files of a role; nodes are served what they were released. Throws 404. */
export async function deleteRoleFiles(
    context: Context,
    clusterId: number,
    role: Role,
): Promise<void> {
    await inCluster(context, clusterId, async (trx) => {
        const { numDeletedRows } = await trx
            .deleteFrom("bootstrap_role_files")
            .where("kubecluster_id", "=", clusterId)
            .where("role", "=", role)
            .executeTakeFirst();
        if (numDeletedRows === 0n) throw roleFilesNotFound(clusterId, role);
        await deleteUnusedContents(trx, clusterId);
    });
}
