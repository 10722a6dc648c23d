import type { Server } from "node:https";

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type {
    FastifyBaseLogger,
    FastifyInstance,
    RawReplyDefaultExpression,
    RawRequestDefaultExpression,
} from "fastify";

/** The HTTPS application whose schemas type its handlers. */
export type App = FastifyInstance<
    Server,
    RawRequestDefaultExpression<Server>,
    RawReplyDefaultExpression<Server>,
    FastifyBaseLogger,
    TypeBoxTypeProvider
>;
