import type { Static, TSchema } from "@sinclair/typebox";
import type { FastifyReply, FastifyRequest } from "fastify";

import type { Operation } from "#contract/operation";

import { errors, noBody } from "./schemas";
import type { App } from "./types";

/** The value of a member of an operation that is a schema. */
type Member<O extends Operation, M extends keyof Operation> = O extends { [K in M]: infer S }
    ? S extends TSchema
        ? Static<S>
        : undefined
    : undefined;

/** What a request holds, as its operation's schemas let it through. */
interface Asked<O extends Operation> {
    params: Member<O, "params">;
    query: Member<O, "query">;
    body: Member<O, "body">;
    request: FastifyRequest;
    reply: FastifyReply;
}

/** What of a route the contract does not say. */
interface Setting {
    tags: string[];
    /** Names of the credentials that open it. */
    security?: Record<string, string[]>[];
    description?: string;
    /** Answers by status beside the success and the refusals. */
    answers?: Record<number, TSchema>;
    bodyLimit?: number;
    logLevel?: "warn";
}

/**
 * Adds the route of an operation of the contract. The handler returns the value of a success, nothing where
 * the success has no body, or the reply when it sent something else by it.
 */
export function serve<O extends Operation>(
    app: App,
    operation: O,
    { bodyLimit, logLevel, answers = {}, ...documented }: Setting,
    handle: (asked: Asked<O>) => Promise<Member<O, "response"> | FastifyReply | void>,
): void {
    const { method, path, summary, params, query, body, response, refusals } =
        operation as Operation;
    app.route({
        method,
        url: path.replace(/\{(\w+)\}/g, ":$1"),
        ...(bodyLimit === undefined ? {} : { bodyLimit }),
        ...(logLevel === undefined ? {} : { logLevel }),
        schema: {
            ...documented,
            summary,
            ...(params ? { params } : {}),
            ...(query ? { querystring: query } : {}),
            ...(body ? { body } : {}),
            response: {
                ...(response ? { 200: response } : { 204: noBody("done") }),
                ...answers,
                ...errors(...refusals),
            },
        },
        handler: async (request, reply) => {
            const { params, query, body } = request as Pick<Asked<O>, "params" | "query" | "body">;
            const answer = await handle({ params, query, body, request, reply });
            return response ? answer : reply.code(204).send();
        },
    });
}
