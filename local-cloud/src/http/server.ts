import { TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import { Type } from "@sinclair/typebox";
import { type Operation, type OperationName, operations } from "excloud-k8s/api";
import fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from "fastify";

import type { CloudContext } from "../handlers/handler";
import { handlers } from "../handlers/index";
import type { Caller, Tokens } from "../state/tokens";
import { ApiError } from "./errors";
import { requestId } from "./request-id";

/** A service with a base URL of its own. */
export type Service = "compute" | "dns" | "iam";

const nothing = Type.Object({}, { additionalProperties: false });

/** The largest request the services read. */
const bodyLimit = 256 * 1024;

const callers = new WeakMap<FastifyRequest, Caller>();

/** A server with the error envelope and strict JSON, and no routes yet. */
export function jsonServer(service: string): FastifyInstance {
    const app = fastify({
        forceCloseConnections: true,
        bodyLimit,
        genReqId: () => requestId(),
    }).setValidatorCompiler(TypeBoxValidatorCompiler);
    app.setNotFoundHandler((request) => {
        throw new ApiError(
            404,
            `${service}.route.not_found`,
            `no such call: ${request.method} ${request.url.split("?")[0]}`,
        );
    });
    app.setErrorHandler((error: FastifyError | ApiError, request, reply) => {
        const refusal = asApiError(service, error);
        return reply.status(refusal.status).send({
            error: { code: refusal.code, message: refusal.message, request_id: request.id },
        });
    });
    return app;
}

/** Everything a client did wrong before a handler ran is the documented generic 400. */
function asApiError(service: string, error: FastifyError | ApiError): ApiError {
    if (error instanceof ApiError) {
        return error;
    }
    if (error.validation !== undefined || (error.statusCode ?? 500) < 500) {
        return new ApiError(
            400,
            `${service}.request.invalid`,
            `cannot parse the request: ${firstProblem(error)}`,
        );
    }
    return new ApiError(500, `${service}.internal`, `internal error: ${error.message}`);
}

/** Schema errors come as a long list; the first one names the member. */
function firstProblem(error: FastifyError): string {
    const first = error.validation?.[0];
    return first === undefined
        ? error.message
        : `${error.validationContext ?? "request"}${first.instancePath}: ${first.message ?? "is invalid"}`;
}

/** Lets only callers with a valid bearer token pass. Policies deny machines everything but IAM. */
export function requireBearer(app: FastifyInstance, service: string, tokens: Tokens): void {
    app.addHook("onRequest", (request, _reply, done) => {
        const [, bearer] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "") ?? [];
        const caller = bearer === undefined ? undefined : tokens.caller(bearer);
        if (caller === undefined) {
            throw new ApiError(
                401,
                `${service}.auth.unauthenticated`,
                bearer === undefined
                    ? "a bearer token is needed"
                    : "the bearer token is unknown or expired",
            );
        }
        if (caller.kind === "machine" && service !== "iam") {
            throw new ApiError(
                403,
                `${service}.auth.forbidden`,
                "no policy allows this principal to do this",
            );
        }
        callers.set(request, caller);
        done();
    });
}

const parameterNames = (path: string): string[] =>
    [...path.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) => name ?? []);

/** Path parameters of all known calls are ids, which are numbers. */
const parametersSchema = (path: string) =>
    Type.Object(Object.fromEntries(parameterNames(path).map((name) => [name, Type.Integer()])));

/** Serves every operation of one service, as the table of operations says. */
export function serviceServer(
    service: Service,
    cloud: CloudContext,
    tokens: Tokens,
): FastifyInstance {
    const app = jsonServer(service);
    requireBearer(app, service, tokens);
    for (const name of Object.keys(operations) as OperationName[]) {
        const operation: Operation = operations[name];
        if (operation.service !== service) {
            continue;
        }
        app.route({
            method: operation.method,
            url: operation.path.replace(/\{(\w+)\}/g, ":$1"),
            schema: {
                params: parametersSchema(operation.path),
                querystring: operation.query ?? nothing,
                ...(operation.body === undefined ? {} : { body: operation.body }),
            },
            handler: (request) => {
                const caller = callers.get(request);
                if (caller === undefined) {
                    throw new Error("the call was not authenticated");
                }
                return callOperation(
                    name,
                    cloud,
                    {
                        ...asObject(request.params),
                        ...asObject(request.query),
                        ...asObject(request.body),
                    },
                    caller,
                );
            },
        });
    }
    return app;
}

const asObject = (value: unknown): object =>
    typeof value === "object" && value !== null ? value : {};

/** Runs the handler of an operation; `request` has been checked against its schemas. */
function callOperation(
    name: OperationName,
    cloud: CloudContext,
    request: object,
    caller: Caller,
): unknown {
    // The table ties name, schema and handler together; the type system cannot follow that here.
    const handler = handlers[name] as (
        cloud: CloudContext,
        request: object,
        caller: Caller,
    ) => unknown;
    return handler(cloud, request, caller) ?? {};
}
