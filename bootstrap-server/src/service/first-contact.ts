import { setTimeout as sleep } from "node:timers/promises";

import type { Bundle } from "#contract/bundle";

import type { Context } from "../context";
import { ApiError } from "../errors";
import { isArmed } from "../rules/arming";
import { newToken, sha256 } from "../secrets";
import type { ClusterRow, Db, NodeRow, Trx } from "../store/schema";
import type { RefusalReason, RequestFacts } from "../verify/verifier";
import { lockCluster, nodeOfVm, nodesOf } from "./rows";
import { assembleBundle, release } from "./served";

/** A request for a first bundle, as it arrived. */
export interface FirstContactRequest {
    requestId: string;
    role: string;
    /** The path's VM id, as text: it may be anything. */
    vmId: string;
    sourceAddress: string;
    accessToken: string | undefined;
    slotSecret: string | undefined;
    imdsToken: string | undefined;
}

/** A refusal has no time of its own: the audit reads it, for each of them in the same way. */
type Decision =
    | { decision: "released"; reason: "verified"; bundle: Bundle; node: NodeRow; now: Date }
    | { decision: "pending"; reason: "bundle_pending"; node: NodeRow; now: Date }
    | { decision: "refused"; reason: RefusalReason; node: NodeRow | undefined; now?: undefined };

/** The one answer to every refusal: what was wrong is for the operator to know. */
function refusal(): ApiError {
    return new ApiError(401, "bootstrap.node.refused", "the request was not accepted");
}

function pending(): ApiError {
    return new ApiError(
        409,
        "bootstrap.bundle.pending",
        "the bundle is not complete yet: ask again in a few seconds",
    );
}

/** Longest text of a caller's claim that the audit keeps. */
const claimLength = 64;

/** A caller's claim as the audit keeps it: PostgreSQL stores no NUL. */
function claim(text: string): string {
    return text.slice(0, claimLength).replaceAll("\0", "\ufffd");
}

/** An id that no node has: ids begin at 1. */
const noNode = 0;

/**
 * How long after its arrival a request is refused, in milliseconds: longer than any check but a call
 * of a slow Excloud takes, so that the time of a refusal says nothing of its reason.
 */
const refusalMs = 100;

/** Records a decision: a row, a log line, and on the slot what the operator should see. */
async function audit(
    context: Context,
    db: Db,
    request: FirstContactRequest,
    { decision, reason, node, now }: Decision,
): Promise<void> {
    const row = {
        request_id: request.requestId,
        decision,
        reason,
        role: claim(request.role),
        vm_id: claim(request.vmId),
        source_address: claim(request.sourceAddress),
        kubecluster_id: node?.kubecluster_id ?? null,
        slot: node?.slot ?? null,
    };
    const at = (now ?? (await context.clock(db))).toISOString();
    // One statement for every decision, so that a refusal of a known VM is the same work as any other.
    await db
        .with("refusal", (refusal) =>
            refusal
                .updateTable("nodes")
                .set({ last_refusal_at: at, last_refusal_reason: reason })
                .where("id", "=", decision === "refused" && node ? node.id : noNode),
        )
        .insertInto("bootstrap_audit")
        .values({ at, ...row })
        .execute();
    context.metrics.firstContacts.inc({ decision, reason });
    if (decision === "released") {
        context.metrics.bundles.inc({ kind: "first" });
    }
    context.log.info({ audit: row }, `first bundle ${decision}`);
}

/** Verified requests end here: the slot's own conditions, checked under the cluster's lock. */
async function releaseTo(
    context: Context,
    trx: Trx,
    role: string,
    cluster: ClusterRow,
    nodes: readonly NodeRow[],
    node: NodeRow & { now: Date },
): Promise<Decision> {
    const now = await context.clock(trx, node.now);
    if (node.role !== role) {
        return { decision: "refused", reason: "other_role", node };
    }
    if (!isArmed({ vmId: node.vm_id, readyAt: node.ready_at }, now)) {
        return { decision: "refused", reason: "slot_closed", node };
    }
    const agentToken = newToken();
    const released = await release(trx, cluster, nodes, node, now, {
        agent_token_sha256: sha256(agentToken),
        next_agent_token_sha256: null,
        last_seen_at: now.toISOString(),
    });
    if (!released) {
        return { decision: "pending", reason: "bundle_pending", node, now };
    }
    const bundle = await assembleBundle(context, trx, node, released);
    return {
        decision: "released",
        reason: "verified",
        bundle: { ...bundle, agent_token: agentToken },
        node,
        now,
    };
}

async function decide(context: Context, request: FirstContactRequest): Promise<Decision> {
    if (!/^[1-9][0-9]{0,14}$/.test(request.vmId)) {
        return { decision: "refused", reason: "malformed_request", node: undefined };
    }
    const vmId = Number(request.vmId);
    const claimed = await nodeOfVm(context, context.db, vmId);
    const facts: RequestFacts = {
        vmId,
        sourceAddress: request.sourceAddress,
        accessToken: request.accessToken,
        slotSecret: request.slotSecret,
        imdsToken: request.imdsToken,
        slotSecretSha256: claimed?.secret_sha256,
        clusterOrgId: claimed ? context.orgId : undefined,
    };
    // Outside any transaction: it asks Excloud, which may take seconds.
    const verdict = await context.verifier.verify(facts);
    if (!verdict.verified) {
        return { decision: "refused", reason: verdict.reason, node: claimed };
    }
    if (!claimed) {
        return { decision: "refused", reason: "vm_not_bound", node: undefined };
    }
    if (verdict.orgId !== context.orgId) {
        return { decision: "refused", reason: "other_organisation", node: claimed };
    }
    return context.db.transaction().execute(async (trx): Promise<Decision> => {
        const cluster = await lockCluster(context, trx, claimed.kubecluster_id);
        const nodes = cluster ? await nodesOf(trx, cluster.id) : [];
        // What was verified must still be so: the slot may have got another VM or secret meanwhile.
        const node = nodes.find(
            ({ id, vm_id, secret_sha256 }) =>
                id === claimed.id &&
                vm_id === verdict.vmId &&
                secret_sha256 === claimed.secret_sha256,
        );
        if (!cluster || !node) {
            return { decision: "refused", reason: "vm_not_bound", node: claimed };
        }
        return releaseTo(context, trx, request.role, cluster, nodes, node);
    });
}

/**
 * Serves a node its first bundle, with a fresh agent token; the former token is revoked.
 * Throws 401, the same for every refusal, or 409 while the bundle is not complete.
 */
export async function firstBundle(context: Context, request: FirstContactRequest): Promise<Bundle> {
    const refusalTime = sleep(refusalMs);
    const decision = await decide(context, request);
    await audit(context, context.db, request, decision);
    switch (decision.decision) {
        case "released":
            return decision.bundle;
        case "pending":
            throw pending();
        case "refused":
            await refusalTime;
            throw refusal();
    }
}
