import { type Static, Type } from "@sinclair/typebox";

import { Bundle } from "./bundle";
import type { Operation } from "./operation";
import { Digest, PhaseName, PhaseStateName, Slot, strict, Timestamp } from "./schemas";

/** The longest time that a lease is granted for, in seconds. */
export const maxLeaseSeconds = 3600;

/** The most lines of a log that a report may hold. */
export const maxLogLines = 20;

const LeaseParams = strict({ name: Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,62}$" }) });

/** What a node tells of a phase, or of a generation applied. Members that are not known here are ignored. */
const Report = Type.Object({
    generation: Digest,
    phase: PhaseName,
    state: PhaseStateName,
    started_at: Timestamp,
    finished_at: Type.Optional(Timestamp),
    message: Type.Optional(Type.String()),
    log_tail: Type.Optional(Type.Array(Type.String(), { maxItems: maxLogLines })),
    health: Type.Optional(
        Type.Record(Type.String({ pattern: "^[A-Za-z0-9_.-]{1,64}$" }), Type.Boolean(), {
            additionalProperties: false,
            maxProperties: 64,
        }),
    ),
});
export type Report = Static<typeof Report>;

/** What all paths of first contacts begin with; whatever else is asked there is refused in the same way. */
export const firstContactPrefix = "/bootstrap";

/** What a VM asks before it has an agent token. Every refusal is the same 401. */
export const firstContact = {
    method: "GET",
    path: `${firstContactPrefix}/{role}/{vm_id}`,
    summary: "A node's first bundle",
    // Any text: a malformed path is refused like everything else.
    params: Type.Object({ role: Type.String(), vm_id: Type.String() }),
    response: Bundle,
    refusals: [401, 409, 429],
} as const satisfies Operation;

/** Headers of a first contact: the secret of the VM's slot, or its session token of IMDS. */
export const factorHeaders = {
    selfHosted: "x-exk8s-slot-secret",
    excloud: "x-exc-imds-token",
} as const;

/** What the agent of a node asks, by its token. */
export const agentOperations = {
    /** Answers 304 when `If-None-Match` names the revision that the node is to have. */
    getBundle: {
        method: "GET",
        path: "/agent/bundle",
        summary: "The bundle the node is to have, when it changed",
        response: Bundle,
        refusals: [401, 409],
    },
    renewToken: {
        method: "POST",
        path: "/agent/token",
        summary: "Renew the agent token; the one it has is good until the new one was used",
        response: Type.Object({ agent_token: Type.String() }),
        refusals: [401],
    },
    report: {
        method: "POST",
        path: "/agent/report",
        summary: "Report a phase, or a generation applied",
        body: Report,
        refusals: [400, 401, 413, 415],
    },
    putLease: {
        method: "PUT",
        path: "/agent/leases/{name}",
        summary: "Take or renew a lease",
        params: LeaseParams,
        body: strict({ ttl_seconds: Type.Integer({ minimum: 1, maximum: maxLeaseSeconds }) }),
        response: Type.Object({
            granted: Type.Boolean(),
            holder: Slot,
            expires_at: Timestamp,
        }),
        refusals: [400, 401, 413, 415],
    },
    deleteLease: {
        method: "DELETE",
        path: "/agent/leases/{name}",
        summary: "Give a lease up",
        params: LeaseParams,
        refusals: [400, 401, 409],
    },
} as const satisfies Record<string, Operation>;
