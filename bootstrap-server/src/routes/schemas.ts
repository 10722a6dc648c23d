import { Type } from "@sinclair/typebox";

import { ErrorBody, oneOf, strict } from "#contract/schemas";

/** Answers that a route may give beside its success. */
export const errors = (...statuses: readonly number[]) =>
    Object.fromEntries(statuses.map((status) => [status, ErrorBody]));

/** An answer without a body. */
export const noBody = (description: string) =>
    Type.Unsafe<undefined>({ type: "null", description });

/** `GET /health`. */
export const Health = strict({ status: oneOf(["ok", "draining"] as const) });

const TokenName = Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,62}$" });
/** Path of an operator token's routes. */
export const OperatorTokenParams = strict({ name: TokenName });
/** `POST` of an operator token. */
export const OperatorTokenRequest = strict({
    name: TokenName,
    days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })),
});
