import { Type } from "@sinclair/typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "../errors";
import { bodyLimits, firstContactLimits, type FirstContactLimits } from "../limits";
import * as agent from "../service/agent";
import { firstBundle } from "../service/first-contact";
import { bearerOf, single } from "./headers";
import * as schemas from "./schemas";
import type { Context } from "../context";
import type { App } from "./types";

const { errors } = schemas;
const Nothing = schemas.noBody("done");

/** What a request for a first bundle presents, with the path's claims. */
function presented(request: FastifyRequest, claims: { role: string; vmId: string }) {
    return {
        requestId: request.id,
        ...claims,
        sourceAddress: request.ip,
        accessToken: bearerOf(request),
        slotSecret: single(request, "x-exk8s-slot-secret"),
        imdsToken: single(request, "x-exc-imds-token"),
    };
}

/**
 * Refuses more first contacts than the limits allow, before anything is looked up: so the answer
 * tells nothing of the VM. It leaves a line in the log and no row, or floods would fill the database.
 */
function firstContactLimiter(app: App, limits: FirstContactLimits) {
    const ofAddress = app.createRateLimit({ max: limits.perAddress });
    const ofVm = app.createRateLimit({
        max: limits.perVm,
        keyGenerator: ({ params }) => (params as { vm_id?: string }).vm_id ?? "",
    });
    return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
        for (const count of [ofAddress, ofVm]) {
            const counted = await count(request);
            if (counted.isAllowed || !counted.isExceeded) continue;
            request.log.info({ key: counted.key.slice(0, 64) }, "first contact over its limit");
            void reply.header("retry-after", counted.ttlInSeconds);
            throw new ApiError(
                429,
                "bootstrap.rate.exceeded",
                "too many requests: ask again after the seconds of Retry-After",
            );
        }
    };
}

/**
 * Adds the route of a node's first contact, under its own prefix. Whatever else is asked there, by
 * path or by method, is refused in the same way, before its body is read.
 */
export function firstContactRoutes(
    app: App,
    context: Context,
    limits: FirstContactLimits = firstContactLimits,
): void {
    app.addHook("onRequest", firstContactLimiter(app, limits));
    app.addHook("onRequest", async (request) => {
        if (request.is404) {
            await firstBundle(context, presented(request, { role: "", vmId: request.url }));
        }
    });
    app.setNotFoundHandler(() => undefined);
    app.get(
        "/:role/:vm_id",
        {
            schema: {
                tags: ["node"],
                security: [
                    { accessToken: [], slotSecret: [] },
                    { accessToken: [], imdsToken: [] },
                ],
                summary: "A node's first bundle",
                description:
                    "Every refusal is the same 401. 409 while the bundle is not complete: ask again.",
                // Any text: a malformed path is refused like everything else.
                params: Type.Object({ role: Type.String(), vm_id: Type.String() }),
                response: { 200: schemas.Bundle, ...errors(401, 409, 429) },
            },
        },
        (request) => {
            const { role, vm_id: vmId } = request.params;
            return firstBundle(context, presented(request, { role, vmId }));
        },
    );
}

/** The revision of an `If-None-Match` header: `"<revision>"`, with or without the weak mark. */
function knownRevision(header: string | undefined): string | undefined {
    return /^(?:W\/)?"([0-9a-f]{64})"$/.exec(header ?? "")?.[1];
}

/** Adds the routes of the node agent, each behind an agent's token. */
export function agentRoutes(app: App, context: Context): void {
    // Before the body is read: whoever has no token makes the server parse nothing.
    app.addHook("onRequest", (request) => agent.authenticate(context, bearerOf(request)));
    const tags = ["agent"];
    const security = [{ agent: [] }];
    app.get(
        "/agent/bundle",
        {
            schema: {
                tags,
                security,
                summary: "The bundle the node is to have, when it changed",
                response: {
                    200: schemas.Bundle,
                    304: schemas.noBody("unchanged"),
                    ...errors(401, 409),
                },
            },
        },
        async (request, reply) => {
            const { revision, bundle } = await agent.agentBundle(
                context,
                bearerOf(request),
                knownRevision(request.headers["if-none-match"]),
            );
            void reply.header("etag", `"${revision}"`);
            return bundle ? reply.send(bundle) : reply.code(304).send();
        },
    );
    app.post(
        "/agent/token",
        {
            schema: {
                tags,
                security,
                summary: "Renew the agent token; the one it has is good until the new one was used",
                response: { 200: schemas.AgentToken, ...errors(401) },
            },
        },
        (request) => agent.renewToken(context, bearerOf(request)),
    );
    app.post(
        "/agent/report",
        {
            bodyLimit: bodyLimits.report,
            schema: {
                tags,
                security,
                summary: "Report a phase, or a generation applied",
                body: schemas.Report,
                response: { 204: Nothing, ...errors(400, 401, 413, 415) },
            },
        },
        async (request, reply) => {
            const token = bearerOf(request);
            await agent.takeReport(context, token, request.body);
            return reply.code(204).send();
        },
    );
    app.put(
        "/agent/leases/:name",
        {
            schema: {
                tags,
                security,
                summary: "Take or renew a lease",
                params: schemas.LeaseParams,
                body: schemas.LeaseRequest,
                response: { 200: schemas.LeaseView, ...errors(400, 401, 413, 415) },
            },
        },
        (request) =>
            agent.putLease(
                context,
                bearerOf(request),
                request.params.name,
                request.body.ttl_seconds,
            ),
    );
    app.delete(
        "/agent/leases/:name",
        {
            schema: {
                tags,
                security,
                summary: "Give a lease up",
                params: schemas.LeaseParams,
                response: { 204: Nothing, ...errors(400, 401, 409) },
            },
        },
        async (request, reply) => {
            const token = bearerOf(request);
            await agent.deleteLease(context, token, request.params.name);
            return reply.code(204).send();
        },
    );
}
