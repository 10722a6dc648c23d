import type { ColumnType, Generated, Kysely, Selectable, Transaction } from "kysely";

import type { EtcdState } from "#contract/etcd";
import type { Manifest } from "#contract/manifest";
import type { Phase, PhaseState } from "#contract/phases";
import type { Role } from "#contract/roles";
import type { Change } from "#contract/schemas";

import type { Binding } from "../rules/founding";

/** A jsonb column: read as a value, written as JSON text, so that both drivers send the same. */
type Json<T> = ColumnType<T, string, string>;
/** A timestamptz column: written as ISO 8601 text, so that both drivers send the same. */
type Timestamp = ColumnType<Date, string, string>;
type NullableTimestamp = ColumnType<Date | null, string | null | undefined, string | null>;

/**
 * A cluster. The first seven columns are Excloud's own; `ca_cert` to `service_acc_priv_key` stay
 * NULL here, because a private key of an authority never enters this server.
 */
export interface ClustersTable {
    id: Generated<number>;
    org_id: number;
    project_id: number;
    ca_cert: Generated<string | null>;
    priv_key: Generated<string | null>;
    service_acc_cert: Generated<string | null>;
    service_acc_priv_key: Generated<string | null>;
    /** The idempotency key of its registration; NULL for clusters that are not ours. */
    registration_key: string;
    etcd_state: Generated<EtcdState>;
    founding_set: ColumnType<Binding[] | null, string | null | undefined, string | null>;
    /** When a slot was first bound to a VM: since then the registration is in use. */
    first_bound_at: NullableTimestamp;
    created_at: Timestamp;
}

/** A node of a cluster: a slot, and the VM that fills it. The first six columns are Excloud's own. */
export interface NodesTable {
    id: Generated<number>;
    kubecluster_id: number;
    vm_id: number | null;
    vm_ip: string | null;
    cert: Generated<string | null>;
    priv_key: Generated<string | null>;
    slot: string;
    role: Role;
    node_name: string;
    secret_sha256: string;
    agent_token_sha256: string | null;
    /** The token that takes its place when the node first uses it. */
    next_agent_token_sha256: string | null;
    desired_generation: string | null;
    released_generation: string | null;
    reported_generation: string | null;
    healthy: Generated<boolean>;
    /** Whether this VM ever reported a generation applied and healthy. */
    booted: Generated<boolean>;
    health: ColumnType<Record<string, boolean> | null, string | null | undefined, string | null>;
    ready_at: NullableTimestamp;
    /** When the rollout gate last gave this VM a change; a first bundle is none. */
    released_at: NullableTimestamp;
    /** Whether this VM ever showed that its etcd member ran. */
    etcd_ran: Generated<boolean>;
    /** Every VM that ever filled the slot. */
    bound_vm_ids: ColumnType<number[], string | undefined, string>;
    last_seen_at: NullableTimestamp;
    last_refusal_at: NullableTimestamp;
    last_refusal_reason: string | null;
}

/** Excloud's table of IMDS session tokens, by SHA-256. Read only. */
export interface ImdsTokensTable {
    hash: string;
    vm_id: number;
    org_id: number;
    expiry_at: Timestamp;
}

/** File contents of a cluster by digest, sealed with the key named in the row. */
export interface ContentsTable {
    kubecluster_id: number;
    digest: string;
    key_id: string;
    nonce: Uint8Array;
    sealed: Uint8Array;
    /** When the first certificate in the content ends; NULL when it holds none. */
    certificate_expires_at: NullableTimestamp;
}

/** The files of a pool: digests only. */
export interface PoolFilesTable {
    kubecluster_id: number;
    pool: string;
    role: Role;
    slots: Json<string[]>;
    files: Json<Manifest>;
    /** How many nodes of the pool may be unavailable at a time; NULL when the program said nothing. */
    max_unavailable: number | null;
}

/** Manifests of a node that may have to be served: the desired and the released one. */
export interface GenerationsTable {
    node_id: number;
    generation: string;
    manifest: Json<Manifest>;
    /** What the program said of the change; NULL when it said nothing. */
    change: ColumnType<Change | null, string | null, string | null>;
}

/** The latest report of a node per phase. */
export interface ReportsTable {
    node_id: number;
    phase: Phase;
    generation: string;
    state: PhaseState;
    started_at: Timestamp;
    finished_at: NullableTimestamp;
    message: string | null;
    log_tail: Json<string[]>;
    received_at: Timestamp;
}

/** Leases of a cluster's nodes. */
export interface LeasesTable {
    kubecluster_id: number;
    name: string;
    holder_node_id: number;
    expires_at: Timestamp;
}

/** One row per decision about a first bundle. */
export interface AuditTable {
    id: Generated<number>;
    at: Timestamp;
    request_id: string;
    decision: "released" | "pending" | "refused";
    reason: string;
    role: string;
    vm_id: string;
    source_address: string;
    kubecluster_id: number | null;
    slot: string | null;
}

/** The operators' tokens: by SHA-256, under names that are never used twice. */
export interface OperatorTokensTable {
    name: string;
    sha256: string;
    created_at: Timestamp;
    expires_at: NullableTimestamp;
    revoked_at: NullableTimestamp;
}

/** One row per change that an operator asked for, written before it is made. */
export interface OperatorAuditTable {
    id: Generated<number>;
    at: Timestamp;
    request_id: string;
    operator: string;
    method: string;
    path: string;
    source_address: string;
}

/** Ids of the keys that rows may be sealed with. */
export interface KeysTable {
    key_id: string;
    created_at: Timestamp;
}

/** Migrations that ran. */
export interface MigrationsTable {
    id: number;
    name: string;
    applied_at: Timestamp;
}

/** Every table this server writes or reads, by name. Column names are frozen (snapshot test). */
export interface Schema {
    clusters: ClustersTable;
    nodes: NodesTable;
    imds_tokens: ImdsTokensTable;
    bootstrap_contents: ContentsTable;
    bootstrap_pool_files: PoolFilesTable;
    bootstrap_generations: GenerationsTable;
    bootstrap_reports: ReportsTable;
    bootstrap_leases: LeasesTable;
    bootstrap_audit: AuditTable;
    bootstrap_operator_audit: OperatorAuditTable;
    bootstrap_operator_tokens: OperatorTokensTable;
    bootstrap_keys: KeysTable;
    bootstrap_migrations: MigrationsTable;
}

/** The database, outside or inside a transaction. */
export type Db = Kysely<Schema>;
/** The database inside a transaction. */
export type Trx = Transaction<Schema>;

/** A row of `clusters`. */
export type ClusterRow = Selectable<ClustersTable>;
/** A row of `nodes`. */
export type NodeRow = Selectable<NodesTable>;
