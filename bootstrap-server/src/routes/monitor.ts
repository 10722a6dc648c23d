import { Type } from "@sinclair/typebox";

import { contractNumber } from "#contract/number";
import { publicOperations } from "#contract/operator";

import type { Context } from "../context";
import { serve } from "./operation";
import { guardByOperator } from "./operator-guard";
import * as schemas from "./schemas";
import type { App } from "./types";

/**
 * Adds `GET /ready`: whether this replica can serve now. Apart from `/health`, which says whether the
 * process is to live: a database that is away for a moment is no reason to restart every replica.
 */
export function readyRoute(
    app: App,
    { isDraining, isReachable }: { isDraining: () => boolean; isReachable: () => Promise<boolean> },
): void {
    const { getReadiness } = publicOperations;
    serve(
        app,
        getReadiness,
        { tags: ["health"], logLevel: "warn", answers: { 503: getReadiness.response } },
        async ({ reply }) => {
            const contract = contractNumber;
            if (isDraining()) {
                return reply.code(503).send({ status: "draining", contract });
            }
            return (await isReachable())
                ? { status: "ready" as const, contract }
                : reply.code(503).send({ status: "no_database", contract });
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
