import type { Report } from "#contract/agent";

import type { Context } from "../context";
import { ApiError } from "../errors";
import { requestLease } from "../rules/leases";
import { readApplied, showsEtcd } from "../rules/phases";
import { matchesDigest, newToken, sha256 } from "../secrets";
import type { ClusterRow, Db, NodeRow, Trx } from "../store/schema";
import { advanceFounding, lockCluster, nodesOf } from "./rows";
import { assembleBundle, release } from "./served";
import { settledRelease } from "./settled";

/** Longest message and log line that are kept, in characters; the rest is cut. */
const lineLength = 4000;

function unauthorized(): ApiError {
    return new ApiError(
        401,
        "bootstrap.agent.unauthorized",
        "the agent token is not valid: it is revoked when its slot gets another VM or a new first bundle, or when a newer one was used",
    );
}

/** The node a token belongs to, and whether it is the one that is to take the other's place. */
async function nodeOfToken(
    db: Db,
    token: string,
): Promise<{ node: NodeRow; isNext: boolean } | undefined> {
    const digest = sha256(token);
    const node = await db
        .selectFrom("nodes")
        .selectAll()
        .where((where) =>
            where.or([
                where("agent_token_sha256", "=", digest),
                where("next_agent_token_sha256", "=", digest),
            ]),
        )
        .executeTakeFirst();
    if (!node) {
        return undefined;
    }
    const isNext = matchesDigest(token, node.next_agent_token_sha256 ?? "");
    const isCurrent = matchesDigest(token, node.agent_token_sha256 ?? "");
    return isNext || isCurrent ? { node, isNext } : undefined;
}

/** Refuses whoever has no agent's token, before anything else is read of the request. Throws 401. */
export async function authenticate(context: Context, token: string | undefined): Promise<void> {
    if (token === undefined || !(await nodeOfToken(context.db, token))) {
        throw unauthorized();
    }
}

/**
 * Runs what an agent asks in one transaction under the lock of its cluster. The node is who the
 * token belongs to, read again under the lock. Throws 401.
 */
async function asNode<T>(
    context: Context,
    token: string | undefined,
    work: (trx: Trx, cluster: ClusterRow, node: NodeRow, now: Date) => Promise<T>,
): Promise<T> {
    if (token === undefined) {
        throw unauthorized();
    }
    return context.db.transaction().execute(async (trx) => {
        const claimed = await nodeOfToken(trx, token);
        const cluster = claimed && (await lockCluster(context, trx, claimed.node.kubecluster_id));
        const found = await nodeOfToken(trx, token);
        if (!cluster || found?.node.kubecluster_id !== cluster.id) {
            throw unauthorized();
        }
        const { node, isNext } = found;
        const now = await context.clock(trx);
        await trx
            .updateTable("nodes")
            .set({
                last_seen_at: now.toISOString(),
                // Used, so it arrived: only now does the former one end.
                ...(isNext
                    ? { agent_token_sha256: sha256(token), next_agent_token_sha256: null }
                    : {}),
            })
            .where("id", "=", node.id)
            .execute();
        return work(trx, cluster, node, now);
    });
}

/**
 * Makes a node's next token. The one it has is good until the next one was used; asking again, as
 * after an answer that was lost, makes another next one. Throws 401.
 */
export async function renewToken(
    context: Context,
    token: string | undefined,
): Promise<{ agent_token: string }> {
    return asNode(context, token, async (trx, _cluster, node) => {
        const next = newToken();
        await trx
            .updateTable("nodes")
            .set({ next_agent_token_sha256: sha256(next) })
            .where("id", "=", node.id)
            .execute();
        return { agent_token: next };
    });
}

/**
 * Serves an agent its bundle as JSON, or "unchanged" when it has that revision.
 * Throws 401, or 409 while there is nothing to serve.
 */
export async function agentBundle(
    context: Context,
    token: string | undefined,
    knownRevision: string | undefined,
): Promise<{ revision: string; json: Buffer | undefined }> {
    const settled = token === undefined ? undefined : await settledRelease(context, token);
    if (settled) {
        const { node, release } = settled;
        const { revision } = release;
        if (revision === knownRevision) {
            return { revision, json: undefined };
        }
        const json = context.bundles.get(node, release, node.change ?? {});
        if (json) {
            return { revision, json };
        }
    }
    return asNode(context, token, async (trx, cluster, node, now) => {
        const nodes = await nodesOf(trx, cluster.id);
        const released = await release(trx, cluster, nodes, node, now);
        if (!released) {
            throw new ApiError(
                409,
                "bootstrap.bundle.pending",
                "there is no bundle to serve yet: ask again later",
            );
        }
        const { revision } = released;
        if (revision === knownRevision) {
            return { revision, json: undefined };
        }
        const bundle = await assembleBundle(context, trx, node, released);
        return { revision, json: context.bundles.add(node, released, bundle) };
    });
}

async function storeReport(trx: Trx, node: NodeRow, report: Report, now: Date) {
    const columns = {
        generation: report.generation,
        state: report.state,
        started_at: report.started_at,
        finished_at: report.finished_at ?? null,
        message: report.message?.slice(0, lineLength) ?? null,
        log_tail: JSON.stringify((report.log_tail ?? []).map((line) => line.slice(0, lineLength))),
        received_at: now.toISOString(),
    };
    await trx
        .insertInto("bootstrap_reports")
        .values({ node_id: node.id, phase: report.phase, ...columns })
        .onConflict((conflict) =>
            conflict.columns(["node_id", "phase"]).doUpdateSet(keepingFailure(columns)),
        )
        .execute();
}

/** While a phase is tried again it is still known why it failed before. */
function keepingFailure<T extends { state: string; message: unknown; log_tail: unknown }>(
    columns: T,
): Partial<T> {
    const { message, log_tail, ...rest } = columns;
    return columns.state === "running"
        ? (rest as Partial<T>)
        : ({ ...rest, message, log_tail } as T);
}

/** What a report changes on its node's row. */
function effectOn(node: NodeRow, report: Report, now: Date) {
    const applied = readApplied(report);
    // A healthy generation says as much, should the one report of the phase have been lost.
    const isReady =
        applied?.healthy === true || (report.phase === "node-ready" && report.state === "done");
    return {
        ...(isReady && node.ready_at === null ? { ready_at: now.toISOString() } : {}),
        ...(applied
            ? { healthy: applied.healthy, health: JSON.stringify(report.health ?? {}) }
            : {}),
        ...(applied?.generation ? { reported_generation: applied.generation } : {}),
        ...(applied?.healthy ? { booted: true } : {}),
        ...(showsEtcd(report) && !node.etcd_ran ? { etcd_ran: true } : {}),
    };
}

/** Takes a report. Throws 401. */
export async function takeReport(
    context: Context,
    token: string | undefined,
    report: Report,
): Promise<void> {
    await asNode(context, token, async (trx, cluster, node, now) => {
        await storeReport(trx, node, report, now);
        const effect = effectOn(node, report, now);
        if (Object.keys(effect).length > 0) {
            await trx.updateTable("nodes").set(effect).where("id", "=", node.id).execute();
        }
        if (effect.etcd_ran) {
            await advanceFounding(trx, cluster, await nodesOf(trx, cluster.id), "report");
        }
    });
}

async function currentLease(trx: Trx, clusterId: number, name: string) {
    return trx
        .selectFrom("bootstrap_leases")
        .innerJoin("nodes", "nodes.id", "bootstrap_leases.holder_node_id")
        .select(["nodes.slot", "bootstrap_leases.expires_at"])
        .where("bootstrap_leases.kubecluster_id", "=", clusterId)
        .where("bootstrap_leases.name", "=", name)
        .executeTakeFirst();
}

/** Grants or renews a lease of the node's cluster, or tells who holds it. Throws 401. */
export async function putLease(
    context: Context,
    token: string | undefined,
    name: string,
    ttlSeconds: number,
) {
    return asNode(context, token, async (trx, cluster, node, now) => {
        const row = await currentLease(trx, cluster.id, name);
        const current = row && { holder: row.slot, expiresAt: row.expires_at };
        const answer = requestLease(current, node.slot, ttlSeconds, now);
        const expires_at = answer.expiresAt.toISOString();
        if (answer.granted) {
            const columns = { holder_node_id: node.id, expires_at };
            await trx
                .insertInto("bootstrap_leases")
                .values({ kubecluster_id: cluster.id, name, ...columns })
                .onConflict((conflict) =>
                    conflict.columns(["kubecluster_id", "name"]).doUpdateSet(columns),
                )
                .execute();
        }
        return { granted: answer.granted, holder: answer.holder, expires_at };
    });
}

/** Gives a lease up. Throws 409 when another node holds it, 401. */
export async function deleteLease(
    context: Context,
    token: string | undefined,
    name: string,
): Promise<void> {
    await asNode(context, token, async (trx, cluster, node, now) => {
        const row = await currentLease(trx, cluster.id, name);
        if (row && row.slot !== node.slot && row.expires_at.getTime() > now.getTime()) {
            throw new ApiError(
                409,
                "bootstrap.lease.held_elsewhere",
                `lease ${name} is held by ${row.slot}: only its holder gives it up`,
            );
        }
        await trx
            .deleteFrom("bootstrap_leases")
            .where("kubecluster_id", "=", cluster.id)
            .where("name", "=", name)
            .where("holder_node_id", "=", node.id)
            .execute();
    });
}
