import { Type, type TSchema } from "@sinclair/typebox";
import { modes } from "../options";
import { roles } from "../names";
import { maxTtlSeconds } from "../rules/leases";
import { phases, phaseStates } from "../rules/phases";

/** An object of exactly these members. */
const strict = <P extends Record<string, TSchema>>(properties: P, options = {}) =>
    Type.Object(properties, { additionalProperties: false, ...options });

const oneOf = <const T extends readonly string[]>(values: T) =>
    Type.Unsafe<T[number]>({ type: "string", enum: [...values] });

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** Absolute, no empty segment, no `.` or `..`: nothing is written outside what it names. */
const pathPattern = "^(/(?!\\.{1,2}(/|$))[A-Za-z0-9._@:+-]+)+$";

const byPath = <T extends TSchema>(value: T) =>
    Type.Record(Type.String({ pattern: pathPattern }), value, { additionalProperties: false });

const Digest = Type.String({ pattern: "^[0-9a-f]{64}$", description: "SHA-256, lower-case hex" });
const ModeText = Type.String({ pattern: "^0[0-7]{3}$", description: "octal file mode" });
const Owner = Type.String({
    pattern: "^[a-z0-9_][a-z0-9_-]*:[a-z0-9_][a-z0-9_-]*$",
    description: "user:group",
});
const Slot = Type.String({ pattern: "^(cp|worker)-[1-9][0-9]{0,4}$" });
const Id = Type.Integer({ minimum: 1, maximum: 999_999_999_999_999 });
const IdText = Type.String({ pattern: "^[1-9][0-9]{0,14}$" });
const Timestamp = Type.String({ format: "date-time" });
const RoleName = oneOf(roles);
const EtcdState = oneOf(["unfounded", "founding", "founded"] as const);

const FileEntry = strict({ content: Type.String(), mode: ModeText, owner: Owner });
const ManifestEntry = strict({ sha256: Digest, mode: ModeText, owner: Owner });
const Digests = Type.Record(Type.String(), Digest);

/** Error body of every route. */
export const ErrorBody = strict({
    error: strict({
        code: Type.String(),
        message: Type.String(),
        request_id: Type.String(),
    }),
});

/** Answers that a route may give beside its success. */
export const errors = (...statuses: number[]) =>
    Object.fromEntries(statuses.map((status) => [status, ErrorBody]));

/** An answer without a body. */
export const noBody = (description: string) =>
    Type.Unsafe<undefined>({ type: "null", description });

/** `GET /health`. */
export const Health = strict({ status: oneOf(["ok", "draining"] as const) });

/** Path of a cluster's routes. */
export const ClusterParams = strict({ cluster_id: IdText });
/** Path of a slot's routes. */
export const SlotParams = strict({ cluster_id: IdText, slot: Slot });
/** Path of a role's routes. */
export const RoleParams = strict({ cluster_id: IdText, role: RoleName });
/** Path of a VM's route. */
export const VmParams = strict({ vm_id: IdText });
/** Path of a lease's routes. */
export const LeaseParams = strict({ name: Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,62}$" }) });

/** `POST /v1/clusters`. */
export const ClusterRequest = strict({
    key: Type.String({
        minLength: 1,
        maxLength: 512,
        description: "idempotency key: organisation/project/stack/resource name",
    }),
});
const TokenName = Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,62}$" });
/** Path of an operator token's routes. */
export const OperatorTokenParams = strict({ name: TokenName });
/** `POST` of an operator token. */
export const OperatorTokenRequest = strict({
    name: TokenName,
    days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })),
});

const clusterProperties = {
    cluster_id: Id,
    name: Type.String(),
    org_id: Id,
    project_id: Id,
    key: Type.String(),
    mode: oneOf(modes),
    etcd_state: EtcdState,
    created_at: Timestamp,
};
/** A cluster. */
export const Cluster = strict(clusterProperties);
/** Every cluster, oldest first. */
export const ClusterList = strict({
    clusters: Type.Array(
        strict({
            ...clusterProperties,
            slots: Type.Integer({ description: "slots that exist" }),
            bound: Type.Integer({ description: "slots that a VM fills" }),
            last_seen_at: nullable(Timestamp),
        }),
    ),
});
/** How a cluster is deleted. */
export const ClusterDeletion = strict({
    only_silent: Type.Optional(
        Type.Literal("true", {
            description: "refuse with 409 while a node of the cluster was heard of recently",
        }),
    ),
});

/** `PUT` of a slot. */
export const SlotRequest = strict({
    role: RoleName,
    node_name: Type.String({ maxLength: 253 }),
    secret_sha256: Digest,
});
/** A slot. */
export const SlotView = strict({
    cluster_id: Id,
    slot: Slot,
    role: RoleName,
    node_name: Type.String(),
    vm_id: nullable(Id),
    bound_vm_ids: Type.Array(Id, { description: "every VM that ever filled the slot" }),
    armed: Type.Boolean(),
});

/** `PUT` of a role's files. */
export const RoleFilesRequest = strict({
    slots: Type.Array(Slot, { uniqueItems: true, maxItems: 1000 }),
    files: byPath(FileEntry),
});
/** A role's files. */
export const RoleFilesView = strict({
    role: RoleName,
    slots: Type.Array(Slot),
    digests: Digests,
});

/** `PUT` of a node's bundle. */
export const NodeBundleRequest = strict({
    vm_id: Id,
    address: Type.String({ maxLength: 45 }),
    files: byPath(FileEntry),
    manifest: byPath(ManifestEntry),
    generation: Digest,
});
/** Answer to `PUT` of a node's bundle. */
export const NodeBundlePut = strict({
    slot: Slot,
    vm_id: Id,
    address: Type.String(),
    generation: Digest,
});
/** A node's bundle. */
export const NodeBundleView = strict({
    slot: Slot,
    vm_id: Id,
    address: Type.String(),
    generation: Digest,
    digests: Digests,
});

/** The slot of a VM. */
export const VmView = strict({
    vm_id: Id,
    cluster_id: Id,
    cluster_name: Type.String(),
    slot: Slot,
});

const PhaseStatus = strict({
    phase: oneOf(phases),
    state: oneOf(phaseStates),
    started_at: Timestamp,
    finished_at: nullable(Timestamp),
    message: nullable(Type.String()),
    log_tail: Type.Array(Type.String(), {
        description: "the end of a failed phase's log, at most 20 lines, redacted on the node",
    }),
});
const NodeStatus = strict({
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
            description: "the control plane it waits for before it is given the desired generation",
        }),
    ),
    healthy: Type.Boolean(),
    health: Type.Record(Type.String(), Type.Boolean()),
    phases: Type.Array(PhaseStatus),
    last_seen_at: nullable(Timestamp),
    last_refusal: Type.Optional(strict({ at: Timestamp, reason: Type.String() })),
});
/** What is known of a cluster's nodes. */
export const ClusterStatus = strict({
    cluster_id: Id,
    name: Type.String(),
    etcd_state: EtcdState,
    nodes: Type.Array(NodeStatus),
});

/** A bundle as a node receives it. */
export const Bundle = strict({
    schema: Type.Literal(1),
    cluster_id: Id,
    cluster_name: Type.String(),
    node_name: Type.String(),
    role: RoleName,
    generation: Digest,
    revision: Digest,
    files: Type.Record(Type.String(), Type.String()),
    attributes: Type.Record(Type.String(), strict({ mode: ModeText, owner: Owner })),
    peers: Type.Array(strict({ name: Type.String(), address: Type.String(), role: RoleName })),
    etcd: Type.Optional(
        strict({
            state: oneOf(["new", "existing"] as const),
            members: Type.Optional(
                Type.Array(strict({ name: Type.String(), address: Type.String() })),
            ),
        }),
    ),
    agent_token: Type.Optional(Type.String()),
});

/** Answer to `POST /agent/token`. */
export const AgentToken = strict({ agent_token: Type.String() });

/** `POST /agent/report`. */
export const Report = strict({
    generation: Digest,
    phase: oneOf(phases),
    state: oneOf(phaseStates),
    started_at: Timestamp,
    finished_at: Type.Optional(Timestamp),
    message: Type.Optional(Type.String()),
    log_tail: Type.Optional(Type.Array(Type.String(), { maxItems: 20 })),
    health: Type.Optional(
        Type.Record(Type.String({ pattern: "^[A-Za-z0-9_.-]{1,64}$" }), Type.Boolean(), {
            additionalProperties: false,
            maxProperties: 64,
        }),
    ),
});

/** `PUT` of a lease. */
export const LeaseRequest = strict({
    ttl_seconds: Type.Integer({ minimum: 1, maximum: maxTtlSeconds }),
});
/** Answer to `PUT` of a lease. */
export const LeaseView = strict({
    granted: Type.Boolean(),
    holder: Slot,
    expires_at: Timestamp,
});
