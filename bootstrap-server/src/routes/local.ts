import { finished } from "node:stream/promises";

import { sql } from "kysely";

import { archiveOf } from "../backup";
import type { Context } from "../context";
import { isLocal } from "../control/socket";
import * as tokens from "../service/operator-tokens";
import { rotateKey } from "../service/rotate-key";
import { guardByOperator } from "./operator-guard";
import * as schemas from "./schemas";
import type { App } from "./types";

/**
 * Adds the routes that only the control socket serves, for this program's own commands. To the
 * network they do not exist: a stolen operator's token makes no other one.
 */
export function localRoutes(app: App, context: Context, dataDir: string): void {
    app.addHook("onRequest", (request, reply, done) => {
        if (isLocal(request)) {
            return done();
        }
        reply.callNotFound();
    });
    guardByOperator(app, context);
    tokenRoutes(app, context);
    app.post("/local/rotate-key", { schema: { hide: true } }, () => rotateKey(context));
    backupRoute(app, context, dataDir);
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

/** The embedded database is one connection: whoever holds it keeps everybody from writing. */
function backupRoute(app: App, context: Context, dataDir: string): void {
    app.post("/local/backup", { schema: { hide: true } }, (_request, reply) =>
        context.db.connection().execute(async (connection) => {
            await sql`CHECKPOINT`.execute(connection);
            void reply.type("application/gzip").send(await archiveOf(dataDir));
            // A command that was ended in the middle of it gives the connection back all the same.
            await finished(reply.raw).catch(() => undefined);
        }),
    );
}
