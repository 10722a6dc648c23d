import type { Operation } from "excloud-k8s/api";
import type { FastifyReply } from "fastify";

import type { HitCall } from "./hit-call";
import type { KindWith } from "./kinds";

const retryAfter = { "retry-after": "1" };

const page = "<!doctype html><html><head><title>Proxy</title></head><body>Sign in</body></html>";

interface Held extends HitCall {
    readonly operation: Operation;
    readonly requestId: string;
}

/** Answers with the error envelope; `code` is without the service. */
const refuse =
    (status: number, code: string, message: string, headers: Record<string, string> = {}) =>
    ({ operation, requestId, reply }: Held): FastifyReply => {
        const error = { code: `${operation.service}.${code}`, message, request_id: requestId };
        return reply.code(status).headers(headers).send({ error });
    };

/** Ends the connection, and keeps the call from being carried out. */
function reset({ reply }: HitCall): FastifyReply {
    reply.raw.destroy();
    return reply.hijack();
}

type Before = (call: Held) => FastifyReply | Promise<FastifyReply | undefined>;

/** What is done in place of carrying a call out; it is carried out when no reply is given back. */
export const before: Record<KindWith<"none">, Before> = {
    "status-400": refuse(400, "request.invalid", "cannot parse the request"),
    "status-401": refuse(401, "auth.unauthenticated", "the bearer token is unknown or expired"),
    "status-403": refuse(403, "auth.forbidden", "no policy allows this principal to do this"),
    "status-404": refuse(404, "resource.not_found", "could not find it"),
    "status-409": refuse(409, "resource.conflict", "this clashes with what exists"),
    "status-429": refuse(429, "request.rate_limited", "too many calls"),
    "status-429-retry-after": refuse(429, "request.rate_limited", "too many calls", retryAfter),
    "status-500": refuse(500, "internal", "internal error"),
    "status-502": refuse(502, "gateway.no_answer", "the service behind the gateway is gone"),
    "status-503": refuse(503, "service.unavailable", "the service is unavailable"),
    "status-503-retry-after": refuse(
        503,
        "service.unavailable",
        "the service is unavailable",
        retryAfter,
    ),
    html: ({ reply }) => reply.type("text/html; charset=utf-8").send(page),
    "reset-before": reset,
    "hang-before": async (call) => {
        await call.faults.untilCleared();
        // A client that gave the call up must not find it carried out.
        return call.reply.raw.destroyed ? reset(call) : undefined;
    },
    // Its status and code are not published.
    quota: refuse(403, "quota.exceeded", "the organisation's quota is used up"),
};
