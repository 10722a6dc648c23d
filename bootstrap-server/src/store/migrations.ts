import { sql } from "kysely";

import { StartupError } from "../errors";
import type { Db, Trx } from "./schema";

/** One step forward. Steps are never edited once released; a change is a new step. */
interface Migration {
    id: number;
    name: string;
    statements: readonly string[];
}

/**
 * The tables `clusters`, `nodes` and `imds_tokens` exist already in Excloud's shared database: they
 * are made only where they are missing, and our columns are added beside theirs. What is ours alone
 * carries the prefix `bootstrap_`.
 */
const migrations: readonly Migration[] = [
    {
        id: 1,
        name: "clusters, nodes and their bundles",
        statements: [
            `CREATE TABLE IF NOT EXISTS clusters (
                id bigserial PRIMARY KEY,
                org_id bigint NOT NULL,
                project_id bigint NOT NULL DEFAULT 1,
                ca_cert text,
                priv_key text,
                service_acc_cert text,
                service_acc_priv_key text
            )`,
            `ALTER TABLE clusters
                ADD COLUMN IF NOT EXISTS registration_key text,
                ADD COLUMN IF NOT EXISTS etcd_state text NOT NULL DEFAULT 'unfounded'
                    CHECK (etcd_state IN ('unfounded', 'founding', 'founded')),
                ADD COLUMN IF NOT EXISTS founding_set jsonb,
                ADD COLUMN IF NOT EXISTS first_bound_at timestamptz,
                ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT now()`,
            `CREATE UNIQUE INDEX IF NOT EXISTS clusters_registration_key
                ON clusters (org_id, registration_key)`,
            `CREATE TABLE IF NOT EXISTS nodes (
                id bigserial PRIMARY KEY,
                kubecluster_id bigint NOT NULL REFERENCES clusters (id) ON DELETE CASCADE,
                vm_id bigint,
                vm_ip text,
                cert text,
                priv_key text
            )`,
            `ALTER TABLE nodes
                ADD COLUMN IF NOT EXISTS slot text,
                ADD COLUMN IF NOT EXISTS role text,
                ADD COLUMN IF NOT EXISTS node_name text,
                ADD COLUMN IF NOT EXISTS secret_sha256 text,
                ADD COLUMN IF NOT EXISTS agent_token_sha256 text,
                ADD COLUMN IF NOT EXISTS desired_generation text,
                ADD COLUMN IF NOT EXISTS released_generation text,
                ADD COLUMN IF NOT EXISTS reported_generation text,
                ADD COLUMN IF NOT EXISTS healthy boolean NOT NULL DEFAULT false,
                ADD COLUMN IF NOT EXISTS booted boolean NOT NULL DEFAULT false,
                ADD COLUMN IF NOT EXISTS health jsonb,
                ADD COLUMN IF NOT EXISTS ready_at timestamptz,
                ADD COLUMN IF NOT EXISTS last_seen_at timestamptz,
                ADD COLUMN IF NOT EXISTS last_refusal_at timestamptz,
                ADD COLUMN IF NOT EXISTS last_refusal_reason text`,
            `CREATE UNIQUE INDEX IF NOT EXISTS nodes_slot ON nodes (kubecluster_id, slot)`,
            `CREATE UNIQUE INDEX IF NOT EXISTS nodes_vm ON nodes (vm_id) WHERE slot IS NOT NULL`,
            `CREATE UNIQUE INDEX IF NOT EXISTS nodes_agent_token ON nodes (agent_token_sha256)`,
            `CREATE TABLE IF NOT EXISTS imds_tokens (
                hash text PRIMARY KEY,
                vm_id bigint NOT NULL,
                org_id bigint NOT NULL,
                expiry_at timestamptz NOT NULL
            )`,
            `CREATE TABLE bootstrap_keys (
                key_id text PRIMARY KEY,
                created_at timestamptz NOT NULL
            )`,
            `CREATE TABLE bootstrap_contents (
                kubecluster_id bigint NOT NULL REFERENCES clusters (id) ON DELETE CASCADE,
                digest text NOT NULL,
                key_id text NOT NULL REFERENCES bootstrap_keys (key_id),
                nonce bytea NOT NULL,
                sealed bytea NOT NULL,
                PRIMARY KEY (kubecluster_id, digest)
            )`,
            `CREATE TABLE bootstrap_role_files (
                kubecluster_id bigint NOT NULL REFERENCES clusters (id) ON DELETE CASCADE,
                role text NOT NULL,
                slots jsonb NOT NULL,
                files jsonb NOT NULL,
                PRIMARY KEY (kubecluster_id, role)
            )`,
            `CREATE TABLE bootstrap_generations (
                node_id bigint NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
                generation text NOT NULL,
                manifest jsonb NOT NULL,
                PRIMARY KEY (node_id, generation)
            )`,
            `CREATE TABLE bootstrap_reports (
                node_id bigint NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
                phase text NOT NULL,
                generation text NOT NULL,
                state text NOT NULL,
                started_at timestamptz NOT NULL,
                finished_at timestamptz,
                message text,
                log_tail jsonb NOT NULL,
                received_at timestamptz NOT NULL,
                PRIMARY KEY (node_id, phase)
            )`,
            `CREATE TABLE bootstrap_leases (
                kubecluster_id bigint NOT NULL REFERENCES clusters (id) ON DELETE CASCADE,
                name text NOT NULL,
                holder_node_id bigint NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
                expires_at timestamptz NOT NULL,
                PRIMARY KEY (kubecluster_id, name)
            )`,
            `CREATE TABLE bootstrap_audit (
                id bigserial PRIMARY KEY,
                at timestamptz NOT NULL,
                request_id text NOT NULL,
                decision text NOT NULL,
                reason text NOT NULL,
                role text NOT NULL,
                vm_id text NOT NULL,
                source_address text NOT NULL,
                kubecluster_id bigint,
                slot text
            )`,
        ],
    },
    {
        id: 2,
        name: "order of releases, VMs that ran etcd",
        statements: [
            `ALTER TABLE nodes
                ADD COLUMN IF NOT EXISTS released_at timestamptz,
                ADD COLUMN IF NOT EXISTS etcd_ran boolean NOT NULL DEFAULT false`,
            `UPDATE nodes SET etcd_ran = true WHERE booted OR id IN (
                SELECT node_id FROM bootstrap_reports WHERE phase = 'etcd' AND state = 'done'
            )`,
            // Whoever is in a change came into it last: the gate lets one at a time in.
            `UPDATE nodes SET released_at = now()
                WHERE booted AND released_generation IS DISTINCT FROM reported_generation`,
        ],
    },
    {
        id: 3,
        name: "VMs that ever filled a slot",
        statements: [
            `ALTER TABLE nodes
                ADD COLUMN IF NOT EXISTS bound_vm_ids jsonb NOT NULL DEFAULT '[]'`,
            `UPDATE nodes SET bound_vm_ids = jsonb_build_array(vm_id) WHERE vm_id IS NOT NULL`,
        ],
    },
    {
        id: 4,
        name: "operators' tokens and changes, renewal of agent tokens",
        statements: [
            `CREATE TABLE bootstrap_operator_tokens (
                name text PRIMARY KEY,
                sha256 text NOT NULL,
                created_at timestamptz NOT NULL,
                expires_at timestamptz,
                revoked_at timestamptz
            )`,
            `CREATE INDEX bootstrap_operator_tokens_sha256 ON bootstrap_operator_tokens (sha256)`,
            `CREATE TABLE bootstrap_operator_audit (
                id bigserial PRIMARY KEY,
                at timestamptz NOT NULL,
                request_id text NOT NULL,
                operator text NOT NULL,
                method text NOT NULL,
                path text NOT NULL,
                source_address text NOT NULL
            )`,
            `ALTER TABLE nodes ADD COLUMN IF NOT EXISTS next_agent_token_sha256 text`,
            `CREATE UNIQUE INDEX IF NOT EXISTS nodes_next_agent_token
                ON nodes (next_agent_token_sha256)`,
        ],
    },
    {
        id: 5,
        name: "ends of certificates",
        statements: [
            `ALTER TABLE bootstrap_contents
                ADD COLUMN IF NOT EXISTS certificate_expires_at timestamptz`,
        ],
    },
    {
        id: 6,
        name: "files by pool, limits of pools, what changes disturb and need",
        statements: [
            // Every change to a cluster holds its row: a replica that still runs finishes what it does.
            `LOCK TABLE clusters IN EXCLUSIVE MODE`,
            `ALTER TABLE bootstrap_role_files RENAME TO bootstrap_pool_files`,
            `ALTER TABLE bootstrap_pool_files
                ADD COLUMN pool text,
                ADD COLUMN max_unavailable integer`,
            // Until then a role had one pool.
            `UPDATE bootstrap_pool_files
                SET pool = CASE role WHEN 'control-plane' THEN 'cp' ELSE role END`,
            `ALTER TABLE bootstrap_pool_files
                ALTER COLUMN pool SET NOT NULL,
                DROP CONSTRAINT bootstrap_role_files_pkey,
                ADD CONSTRAINT bootstrap_pool_files_pkey PRIMARY KEY (kubecluster_id, pool)`,
            `ALTER TABLE bootstrap_generations ADD COLUMN change jsonb`,
        ],
    },
];

/** Any fixed number: the advisory lock that only this server's migrations take. */
const lockId = 6_512_483_071;

async function appliedMigrations(trx: Trx): Promise<Set<number>> {
    await sql`CREATE TABLE IF NOT EXISTS bootstrap_migrations (
        id integer PRIMARY KEY,
        name text NOT NULL,
        applied_at timestamptz NOT NULL
    )`.execute(trx);
    const rows = await trx.selectFrom("bootstrap_migrations").select("id").execute();
    return new Set(rows.map(({ id }) => id));
}

/**
 * Brings the database to this server's schema. All steps run in one transaction under an advisory
 * lock, so replicas that start together migrate once and a failed step leaves nothing behind.
 * Throws StartupError when a newer server migrated the database: there is no way back.
 */
export async function migrate(db: Db): Promise<void> {
    await db.transaction().execute(async (trx) => {
        await sql`SELECT pg_advisory_xact_lock(${lockId}::bigint)`.execute(trx);
        const applied = await appliedMigrations(trx);
        const unknown = [...applied].filter((id) => !migrations.some((one) => one.id === id));
        if (unknown.length > 0) {
            throw new StartupError(
                `the database has migrations this server does not know (${unknown.join(", ")}): start the newer release that made them`,
            );
        }
        for (const { id, name, statements } of migrations) {
            if (applied.has(id)) {
                continue;
            }
            for (const statement of statements) {
                await sql.raw(statement).execute(trx);
            }
            await sql`INSERT INTO bootstrap_migrations (id, name, applied_at)
                VALUES (${id}, ${name}, now())`.execute(trx);
        }
    });
}
