import type { FastifyRequest } from "fastify";

import type { Context } from "../context";
import { isLocal } from "../control/socket";
import { ApiError } from "../errors";
import type { Operator } from "../verify/operator";
import { bearerOf } from "./headers";
import type { App } from "./types";

/** Whoever came through the control socket: the server's own user, or root. */
const local: Operator = { name: "local" };

/** Longest path that the audit keeps, in characters. */
const pathLength = 256;

async function operatorOf(context: Context, request: FastifyRequest): Promise<Operator> {
    if (isLocal(request)) {
        return local;
    }
    const token = bearerOf(request);
    const operator = token === undefined ? undefined : await context.operators.verify(token);
    if (operator) {
        return operator;
    }
    request.log.info({ source_address: request.ip }, "operator refused");
    throw new ApiError(
        401,
        "bootstrap.operator.unauthorized",
        "the operator token is missing, wrong, expired or revoked: send Authorization: Bearer with the token of EXCLOUD_BOOTSTRAP_TOKEN, or with one that excloud-k8s-bootstrap token create printed",
    );
}

async function audit(context: Context, request: FastifyRequest, operator: Operator): Promise<void> {
    const row = {
        request_id: request.id,
        operator: operator.name,
        method: request.method,
        path: request.url.slice(0, pathLength),
        source_address: isLocal(request) ? "local" : request.ip,
    };
    const now = await context.clock(context.db);
    await context.db
        .insertInto("bootstrap_operator_audit")
        .values({ at: now.toISOString(), ...row })
        .execute();
    request.log.info({ audit: row }, "operator's change");
}

/**
 * Puts every route of a scope behind an operator's token, which is looked at before the body is read.
 * A change is written to the audit before it is made: none goes without.
 */
export function guardByOperator(app: App, context: Context): void {
    const operators = new WeakMap<FastifyRequest, Operator>();
    app.addHook("onRequest", async (request) => {
        operators.set(request, await operatorOf(context, request));
    });
    app.addHook("preHandler", async (request) => {
        if (request.method === "GET" || request.method === "HEAD") {
            return;
        }
        await audit(context, request, operators.get(request) as Operator);
    });
}
