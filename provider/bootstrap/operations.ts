import { Type, type Static } from "@sinclair/typebox";

import type { Operations } from "../api/operation";

const strict = { additionalProperties: false };
const service = "bootstrap";
const confidence = "documented";

const FileEntry = Type.Object(
    { content: Type.String(), mode: Type.String(), owner: Type.String() },
    strict,
);
const Files = Type.Record(Type.String(), FileEntry);
const Digests = Type.Record(Type.String(), Type.String());
export const Manifest = Type.Record(
    Type.String(),
    Type.Object({ sha256: Type.String(), mode: Type.String(), owner: Type.String() }, strict),
);
export type Manifest = Static<typeof Manifest>;

const Cluster = Type.Object({
    cluster_id: Type.Integer(),
    name: Type.String(),
    org_id: Type.Integer(),
    mode: Type.Union([Type.Literal("selfHosted"), Type.Literal("excloud")]),
});
const Slot = Type.Object({
    slot: Type.String(),
    role: Type.String(),
    node_name: Type.String(),
    vm_id: Type.Union([Type.Integer(), Type.Null()]),
    /** Every VM that ever filled the slot. */
    bound_vm_ids: Type.Array(Type.Integer()),
    armed: Type.Boolean(),
});
const Phase = Type.Object({
    phase: Type.String(),
    state: Type.Union([Type.Literal("running"), Type.Literal("done"), Type.Literal("failed")]),
    started_at: Type.String(),
    finished_at: Type.Union([Type.String(), Type.Null()]),
    message: Type.Union([Type.String(), Type.Null()]),
    /** The end of a failed phase's log; servers before 0.2 do not give it. */
    log_tail: Type.Optional(Type.Array(Type.String())),
});
export type Phase = Static<typeof Phase>;
const NodeStatus = Type.Object({
    slot: Type.String(),
    node_name: Type.String(),
    vm_id: Type.Union([Type.Integer(), Type.Null()]),
    address: Type.Union([Type.String(), Type.Null()]),
    desired_generation: Type.Union([Type.String(), Type.Null()]),
    released_generation: Type.Union([Type.String(), Type.Null()]),
    reported_generation: Type.Union([Type.String(), Type.Null()]),
    healthy: Type.Boolean(),
    /** Each check of the node's last report, and whether it was passed. */
    health: Type.Record(Type.String(), Type.Boolean()),
    /** The node whose change has to be well first. */
    held_by: Type.Optional(Type.String()),
    phases: Type.Array(Phase),
    last_seen_at: Type.Union([Type.String(), Type.Null()]),
    last_refusal: Type.Optional(
        Type.Union([Type.Object({ at: Type.String(), reason: Type.String() }), Type.Null()]),
    ),
});
export type NodeStatus = Static<typeof NodeStatus>;

/** The operator's part of the bootstrap server's API, as its `/openapi.json` describes it. */
export const bootstrapOperations = {
    getReadiness: {
        service,
        method: "GET",
        path: "/ready",
        idempotent: true,
        confidence,
        response: Type.Object({
            status: Type.Union([
                Type.Literal("ready"),
                Type.Literal("draining"),
                Type.Literal("no_database"),
            ]),
        }),
    },
    registerCluster: {
        service,
        method: "POST",
        path: "/v1/clusters",
        idempotent: true,
        confidence,
        body: Type.Object({ key: Type.String() }, strict),
        response: Cluster,
    },
    getCluster: {
        service,
        method: "GET",
        path: "/v1/clusters/{cluster_id}",
        idempotent: true,
        confidence,
        response: Cluster,
    },
    deleteCluster: {
        service,
        method: "DELETE",
        path: "/v1/clusters/{cluster_id}",
        idempotent: true,
        confidence,
    },
    putSlot: {
        service,
        method: "PUT",
        path: "/v1/clusters/{cluster_id}/nodes/{slot}",
        idempotent: true,
        confidence,
        body: Type.Object(
            { role: Type.String(), node_name: Type.String(), secret_sha256: Type.String() },
            strict,
        ),
        response: Slot,
    },
    getSlot: {
        service,
        method: "GET",
        path: "/v1/clusters/{cluster_id}/nodes/{slot}",
        idempotent: true,
        confidence,
        response: Slot,
    },
    deleteSlot: {
        service,
        method: "DELETE",
        path: "/v1/clusters/{cluster_id}/nodes/{slot}",
        idempotent: true,
        confidence,
    },
    putRoleFiles: {
        service,
        method: "PUT",
        path: "/v1/clusters/{cluster_id}/roles/{role}/files",
        idempotent: true,
        confidence,
        body: Type.Object({ slots: Type.Array(Type.String()), files: Files }, strict),
        response: Type.Object({ digests: Digests }),
    },
    getRoleFiles: {
        service,
        method: "GET",
        path: "/v1/clusters/{cluster_id}/roles/{role}/files",
        idempotent: true,
        confidence,
        response: Type.Object({ slots: Type.Array(Type.String()), digests: Digests }),
    },
    deleteRoleFiles: {
        service,
        method: "DELETE",
        path: "/v1/clusters/{cluster_id}/roles/{role}/files",
        idempotent: true,
        confidence,
    },
    putBundle: {
        service,
        method: "PUT",
        path: "/v1/clusters/{cluster_id}/nodes/{slot}/bundle",
        idempotent: true,
        confidence,
        body: Type.Object(
            {
                vm_id: Type.Integer(),
                address: Type.String(),
                files: Files,
                manifest: Manifest,
                generation: Type.String(),
            },
            strict,
        ),
        response: Type.Object({ generation: Type.String() }),
    },
    getBundle: {
        service,
        method: "GET",
        path: "/v1/clusters/{cluster_id}/nodes/{slot}/bundle",
        idempotent: true,
        confidence,
        response: Type.Object({
            vm_id: Type.Integer(),
            address: Type.String(),
            generation: Type.String(),
            digests: Digests,
        }),
    },
    deleteBundle: {
        service,
        method: "DELETE",
        path: "/v1/clusters/{cluster_id}/nodes/{slot}/bundle",
        idempotent: true,
        confidence,
    },
    getVmBinding: {
        service,
        method: "GET",
        path: "/v1/vms/{vm_id}",
        idempotent: true,
        confidence,
        response: Type.Object({ cluster_id: Type.Integer(), slot: Type.String() }),
    },
    getStatus: {
        service,
        method: "GET",
        path: "/v1/clusters/{cluster_id}/status",
        idempotent: true,
        confidence,
        response: Type.Object({ nodes: Type.Array(NodeStatus) }),
    },
} as const satisfies Operations;
