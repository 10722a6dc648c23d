import { Type } from "@sinclair/typebox";
import { guardByOperator } from "./operator-guard";
import * as schemas from "./schemas";
import type { Context } from "../context";
import type { App } from "./types";

/**
 * Adds `GET /ready`: whether this replica can serve now. Apart from `/health`, which says whether the
 * process is to live: a database that is away for a moment is no reason to restart every replica.
 */
export function readyRoute(
    app: App,
    { isDraining, isReachable }: { isDraining: () => boolean; isReachable: () => Promise<boolean> },
): void {
    app.get(
        "/ready",
        {
            logLevel: "warn",
            schema: {
                tags: ["health"],
                summary: "Whether the server can serve: 503 while it drains or has no database",
                response: { 200: schemas.Readiness, 503: schemas.Readiness },
            },
        },
        async (_request, reply) => {
            if (isDraining()) return reply.code(503).send({ status: "draining" });
            return (await isReachable())
                ? reply.code(200).send({ status: "ready" })
                : reply.code(503).send({ status: "no_database" });
        },
    );
}

/**
 * Adds `GET /metrics` behind an operator's token: how many clusters there are, how their nodes fare
 * and why callers were refused is nobody else's business.
 */
export function metricsRoute(app: App, context: Context): void {
    guardByOperator(app, context);
    app.get(
        "/metrics",
        {
            logLevel: "warn",
            schema: {
                tags: ["health"],
                security: [{ operator: [] }],
                summary: "Metrics for Prometheus",
                response: {
                    200: { content: { "text/plain": { schema: Type.String() } } },
                    ...schemas.errors(401),
                },
            },
        },
        async (_request, reply) => {
            const { registry } = context.metrics;
            const text = await registry.metrics();
            return reply.type(registry.contentType).send(text);
        },
    );
}
