import type { FastifyReply, FastifyRequest } from "fastify";

import { agentOperations, factorHeaders, firstContact, firstContactPrefix } from "#contract/agent";

import type { Context } from "../context";
import { ApiError } from "../errors";
import { bodyLimits, type FirstContactLimits, firstContactLimits } from "../limits";
import * as agent from "../service/agent";
import { firstBundle } from "../service/first-contact";
import { bearerOf, single } from "./headers";
import { serve } from "./operation";
import { noBody } from "./schemas";
import type { App } from "./types";

/** What a request for a first bundle presents, with the path's claims. */
function presented(request: FastifyRequest, claims: { role: string; vmId: string }) {
    return {
        requestId: request.id,
        ...claims,
        sourceAddress: request.ip,
        accessToken: bearerOf(request),
        slotSecret: single(request, factorHeaders.selfHosted),
        imdsToken: single(request, factorHeaders.excloud),
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
            if (counted.isAllowed || !counted.isExceeded) {
                continue;
            }
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
    serve(
        app,
        // The scope has the prefix already.
        { ...firstContact, path: firstContact.path.slice(firstContactPrefix.length) },
        {
            tags: ["node"],
            security: [
                { accessToken: [], slotSecret: [] },
                { accessToken: [], imdsToken: [] },
            ],
            description:
                "Every refusal is the same 401. 409 while the bundle is not complete: ask again.",
        },
        ({ params, request }) => {
            const { role, vm_id: vmId } = params;
            return firstBundle(context, presented(request, { role, vmId }));
        },
    );
}

/** The revision of an `If-None-Match` header: `"<revision>"`, with or without the weak mark. */
function knownRevision(header: string | undefined): string | undefined {
    return /^(?:W\/)?"([0-9a-f]{64})"$/.exec(header ?? "")?.[1];
}

const ofAgent = { tags: ["agent"], security: [{ agent: [] }] };

/** Adds the route that agents ask most. It reads no body, and looks at the token by itself. */
export function agentBundleRoute(app: App, context: Context): void {
    serve(
        app,
        agentOperations.getBundle,
        // Every node asks three times a minute: lines of that would hide all others.
        { ...ofAgent, logLevel: "warn", answers: { 304: noBody("unchanged") } },
        async ({ request, reply }) => {
            const { revision, json } = await agent.agentBundle(
                context,
                bearerOf(request),
                knownRevision(request.headers["if-none-match"]),
            );
            void reply.header("etag", `"${revision}"`);
            context.metrics.bundles.inc({ kind: json === undefined ? "unchanged" : "later" });
            return json === undefined
                ? reply.code(304).send()
                : // Bytes are sent as they are.
                  reply.type("application/json; charset=utf-8").send(json);
        },
    );
}

/** Adds the other routes of the node agent, each behind an agent's token. */
export function agentRoutes(app: App, context: Context): void {
    const { renewToken, report, putLease, deleteLease } = agentOperations;
    // Before the body is read: whoever has no token makes the server parse nothing.
    app.addHook("onRequest", (request) => agent.authenticate(context, bearerOf(request)));
    serve(app, renewToken, ofAgent, ({ request }) => agent.renewToken(context, bearerOf(request)));
    serve(app, report, { ...ofAgent, bodyLimit: bodyLimits.report }, ({ request, body }) =>
        agent.takeReport(context, bearerOf(request), body),
    );
    serve(app, putLease, ofAgent, ({ request, params, body }) =>
        agent.putLease(context, bearerOf(request), params.name, body.ttl_seconds),
    );
    serve(app, deleteLease, ofAgent, ({ request, params }) =>
        agent.deleteLease(context, bearerOf(request), params.name),
    );
}
