import type { Context } from "../context";
import { isLocal } from "../control/socket";
import * as tokens from "../service/operator-tokens";
import { guardByOperator } from "./operator-guard";
import * as schemas from "./schemas";
import type { App } from "./types";

/**
 * Adds the routes that only the control socket serves, for this program's own commands. To the
 * network they do not exist: a stolen operator's token makes no other one.
 */
export function localRoutes(app: App, context: Context): void {
    app.addHook("onRequest", (request, reply, done) => {
        if (isLocal(request)) return done();
        reply.callNotFound();
    });
    guardByOperator(app, context);
    tokenRoutes(app, context);
}

function tokenRoutes(app: App, context: Context): void {
    app.get("/local/operator-tokens", { schema: { hide: true } }, () =>
        tokens.listOperatorTokens(context),
    );
    app.post(
        "/local/operator-tokens",
        { schema: { hide: true, body: schemas.OperatorTokenRequest } },
        ({ body }) => tokens.createOperatorToken(context, body),
    );
    app.delete(
        "/local/operator-tokens/:name",
        { schema: { hide: true, params: schemas.OperatorTokenParams } },
        async ({ params }, reply) => {
            await tokens.revokeOperatorToken(context, params.name);
            return reply.code(204).send();
        },
    );
}
