import { type Static, type TSchema, Type } from "@sinclair/typebox";

import type { Operation } from "./operation";
import { controlPlanePool } from "./pools";
import type { Role } from "./roles";
import {
    Change,
    Digest,
    Digests,
    EtcdStateName,
    Files,
    Id,
    IdText,
    ManifestSchema,
    ModeName,
    nullable,
    oneOf,
    PhaseName,
    PhaseStateName,
    Pool,
    RoleName,
    Slot,
    strict,
    Timestamp,
} from "./schemas";

const ClusterParams = strict({ cluster_id: IdText });
const SlotParams = strict({ cluster_id: IdText, slot: Slot });
const PoolParams = strict({ cluster_id: IdText, pool: Pool });
const RoleParams = strict({ cluster_id: IdText, role: RoleName });

const clusterMembers = {
    cluster_id: Id,
    name: Type.String(),
    org_id: Id,
    project_id: Id,
    key: Type.String(),
    mode: ModeName,
    etcd_state: EtcdStateName,
    created_at: Timestamp,
};
const Cluster = Type.Object(clusterMembers);
const ClusterList = Type.Object({
    clusters: Type.Array(
        Type.Object({
            ...clusterMembers,
            slots: Type.Integer({ description: "slots that exist" }),
            bound: Type.Integer({ description: "slots that a VM fills" }),
            last_seen_at: nullable(Timestamp),
        }),
    ),
});

const SlotRequest = strict({
    role: RoleName,
    node_name: Type.String({ maxLength: 253 }),
    secret_sha256: Digest,
});
export type SlotRequest = Static<typeof SlotRequest>;
const SlotView = Type.Object({
    cluster_id: Id,
    slot: Slot,
    role: RoleName,
    node_name: Type.String(),
    vm_id: nullable(Id),
    bound_vm_ids: Type.Array(Id, { description: "every VM that ever filled the slot" }),
    armed: Type.Boolean(),
});

const slots = Type.Array(Slot, { uniqueItems: true, maxItems: 1000 });
const PoolFilesRequest = strict({
    role: RoleName,
    slots,
    files: Files,
    max_unavailable: Type.Optional(
        Type.Integer({
            minimum: 1,
            maximum: 1000,
            description: "how many nodes of the pool may be unavailable at a time; handed on",
        }),
    ),
});
export type PoolFilesRequest = Static<typeof PoolFilesRequest>;
const PoolFilesView = Type.Object({
    pool: Pool,
    role: RoleName,
    slots: Type.Array(Slot),
    max_unavailable: nullable(Type.Integer()),
    digests: Digests,
});

const NodeBundleRequest = strict({
    vm_id: Id,
    address: Type.String({ maxLength: 45, description: "where the other nodes reach this one" }),
    files: Files,
    manifest: ManifestSchema,
    generation: Digest,
    ...Change.properties,
});
export type NodeBundleRequest = Static<typeof NodeBundleRequest>;
const bundleMembers = { slot: Slot, vm_id: Id, address: Type.String(), generation: Digest };
const NodeBundlePut = Type.Object(bundleMembers);
const NodeBundleView = Type.Object({ ...bundleMembers, ...Change.properties, digests: Digests });

const VmView = Type.Object({
    vm_id: Id,
    cluster_id: Id,
    cluster_name: Type.String(),
    slot: Slot,
});

const PhaseStatus = Type.Object({
    phase: PhaseName,
    state: PhaseStateName,
    started_at: Timestamp,
    finished_at: nullable(Timestamp),
    message: nullable(Type.String()),
    log_tail: Type.Array(Type.String(), {
        description: "the end of a failed phase's log, at most 20 lines, redacted on the node",
    }),
});
export type PhaseStatus = Static<typeof PhaseStatus>;
const NodeStatus = Type.Object({
    slot: Slot,
    node_name: Type.String(),
    role: RoleName,
    vm_id: nullable(Id),
    address: nullable(Type.String()),
    desired_generation: nullable(Digest),
    released_generation: nullable(Digest),
    reported_generation: nullable(Digest),
    held_by: Type.Optional(
        Type.Unsafe<string>({
            ...Slot,
            description: "the node it waits for before it is given the desired generation",
        }),
    ),
    healthy: Type.Boolean(),
    health: Type.Record(Type.String(), Type.Boolean(), {
        description: "each check of the node's last report, and whether it passed",
    }),
    phases: Type.Array(PhaseStatus),
    last_seen_at: nullable(Timestamp),
    last_refusal: Type.Optional(Type.Object({ at: Timestamp, reason: Type.String() })),
});
export type NodeStatus = Static<typeof NodeStatus>;
const ClusterStatus = Type.Object({
    cluster_id: Id,
    name: Type.String(),
    etcd_state: EtcdStateName,
    nodes: Type.Array(NodeStatus),
});

const cluster = "/v1/clusters/{cluster_id}";
const slot = `${cluster}/nodes/{slot}` as const;
const bundle = `${slot}/bundle` as const;
const poolFiles = `${cluster}/pools/{pool}/files` as const;
const roleFiles = `${cluster}/roles/{role}/files` as const;

/** A read of what a path names. */
const get = <const P extends string, S extends TSchema, R extends TSchema>(
    path: P,
    summary: string,
    params: S,
    response: R,
) => ({ method: "GET", path, summary, params, response, refusals: [400, 401, 404] }) as const;

/** A deletion of what a path names. */
const remove = <const P extends string, S extends TSchema>(path: P, summary: string, params: S) =>
    ({ method: "DELETE", path, summary, params, refusals: [400, 401, 404] }) as const;

export type ClusterList = Static<typeof ClusterList>;

/** What an operator asks of a server, by the name that programs call it by. Each call may be repeated. */
export const operatorOperations = {
    registerCluster: {
        method: "POST",
        path: "/v1/clusters",
        summary: "Register a cluster, or adopt an interrupted registration",
        body: strict({
            key: Type.String({
                minLength: 1,
                maxLength: 512,
                description: "idempotency key: organisation/project/stack/resource name",
            }),
        }),
        response: Cluster,
        refusals: [400, 401, 409, 413, 415],
    },
    listClusters: {
        method: "GET",
        path: "/v1/clusters",
        summary: "Every cluster of this server, oldest first",
        response: ClusterList,
        refusals: [401],
    },
    getCluster: get(cluster, "Read a cluster", ClusterParams, Cluster),
    deleteCluster: {
        method: "DELETE",
        path: cluster,
        summary: "Delete a cluster with its slots and files",
        params: ClusterParams,
        query: strict({
            only_silent: Type.Optional(
                Type.Literal("true", {
                    description:
                        "refuse with 409 while a node of the cluster was heard of recently",
                }),
            ),
        }),
        refusals: [400, 401, 404, 409],
    },
    getStatus: get(
        `${cluster}/status`,
        "What the nodes of a cluster reported",
        ClusterParams,
        ClusterStatus,
    ),
    getVmBinding: get(
        "/v1/vms/{vm_id}",
        "Which slot a VM fills",
        strict({ vm_id: IdText }),
        VmView,
    ),
    putSlot: {
        method: "PUT",
        path: slot,
        summary: "Create a slot, or give it a new secret",
        params: SlotParams,
        body: SlotRequest,
        response: SlotView,
        refusals: [400, 401, 404, 413, 415, 422],
    },
    getSlot: get(slot, "Read a slot", SlotParams, SlotView),
    deleteSlot: remove(slot, "Delete a slot with what is bound to it", SlotParams),
    putPoolFiles: {
        method: "PUT",
        path: poolFiles,
        summary: "Put the files that all nodes of a pool share",
        params: PoolParams,
        body: PoolFilesRequest,
        response: PoolFilesView,
        refusals: [400, 401, 404, 413, 415, 422],
    },
    getPoolFiles: get(poolFiles, "Read which files a pool has", PoolParams, PoolFilesView),
    deletePoolFiles: remove(poolFiles, "Delete the files of a pool", PoolParams),
    putBundle: {
        method: "PUT",
        path: bundle,
        summary: "Bind a VM to a slot and put its bundle",
        params: SlotParams,
        body: NodeBundleRequest,
        response: NodeBundlePut,
        refusals: [400, 401, 404, 409, 413, 415, 422],
    },
    getBundle: get(
        bundle,
        "Read a node's bundle: digests in place of contents",
        SlotParams,
        NodeBundleView,
    ),
    deleteBundle: remove(bundle, "Unbind the VM of a slot and delete its bundle", SlotParams),
} as const satisfies Record<string, Operation>;

/** What a server says of itself; no credential is asked for. */
export const publicOperations = {
    getReadiness: {
        method: "GET",
        path: "/ready",
        summary: "Whether the server can serve: 503 while it drains or has no database",
        response: Type.Object({
            status: oneOf(["ready", "draining", "no_database"] as const),
            contract: Type.Optional(
                Type.Integer({ description: "number of the contract; servers of 0.1 give none" }),
            ),
        }),
        refusals: [],
    },
} as const satisfies Record<string, Operation>;

const RoleFilesView = Type.Object({
    role: RoleName,
    slots: Type.Array(Slot),
    digests: Digests,
});

/** The pool that a role's one pool is now. */
export function formerPoolOf(role: Role): string {
    return role === "control-plane" ? controlPlanePool : "worker";
}

/**
 * Operations of number 1 that programs of today do not ask any more: a role had one pool, which for workers was
 * called `worker`.
 */
export const formerOperations = {
    putRoleFiles: {
        method: "PUT",
        path: roleFiles,
        summary: "Put the files of a role's one pool",
        params: RoleParams,
        body: strict({ slots, files: Files }),
        response: RoleFilesView,
        refusals: [400, 401, 404, 413, 415, 422],
    },
    getRoleFiles: get(
        roleFiles,
        "Read which files a role's one pool has",
        RoleParams,
        RoleFilesView,
    ),
    deleteRoleFiles: remove(roleFiles, "Delete the files of a role's one pool", RoleParams),
} as const satisfies Record<string, Operation>;
