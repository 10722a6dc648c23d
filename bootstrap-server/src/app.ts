import { randomUUID } from "node:crypto";

import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import fastify, { type FastifyError } from "fastify";

import { factorHeaders } from "#contract/agent";
import { contractHeader, contractNumber } from "#contract/number";

import { answerClientError } from "./client-error";
import { ApiError } from "./errors";
import { bodyLimits, connectionLimits, countedKeys, firstContactWindow } from "./limits";
import type { LogLevel } from "./options";
import * as schemas from "./routes/schemas";
import type { App } from "./routes/types";
import type { TlsFiles } from "./tls";

const { requestTimeout, connectionTimeout, keepAliveTimeout, ...serverLimits } = connectionLimits;

/** Where a secret could stand in a log line. */
const redactedPaths = [
    "req.headers.authorization",
    "req.headers.cookie",
    ...Object.values(factorHeaders).map((name) => `req.headers["${name}"]`),
    "*.authorization",
    "*.agent_token",
    "*.secret_sha256",
    "*.files",
];

const openapi = {
    openapi: "3.1.0",
    info: {
        title: "excloud-k8s bootstrap server",
        description: "Guards and serves the bootstrap bundles of excloud-k8s clusters.",
        version: String(contractNumber),
    },
    components: {
        securitySchemes: {
            operator: { type: "http", scheme: "bearer", description: "operator token" },
            agent: { type: "http", scheme: "bearer", description: "agent token of a first bundle" },
            accessToken: { type: "http", scheme: "bearer", description: "access token from IMDS" },
            slotSecret: { type: "apiKey", in: "header", name: factorHeaders.selfHosted },
            imdsToken: { type: "apiKey", in: "header", name: factorHeaders.excloud },
        },
    },
} as const;

/** Where the log goes, a line at a time. */
export interface LogTarget {
    write(line: string): void;
}

/** A path that cannot be decoded is taken as it is, so that it gets a route's answer like any other. */
function readablePath({ url = "/" }: { url?: string | undefined }): string {
    try {
        decodeURIComponent(url);
        return url;
    } catch {
        return url.replaceAll("%", "%25");
    }
}

/** Whether PostgreSQL could not take a value: class 22 of its codes, "data exception". */
function isDataException(error: { code?: string }): boolean {
    return /^22[0-9A-Z]{3}$/.test(error.code ?? "");
}

/** Status, code and message of anything a handler throws; details of a bug stay in the log. */
function describe(error: FastifyError | ApiError): [number, string, string] {
    if (error instanceof ApiError) {
        return [error.status, error.code, error.message];
    }
    if (isDataException(error)) {
        return [400, "bootstrap.request.invalid", "a text or time of the request cannot be stored"];
    }
    if (error.validation) {
        return [400, "bootstrap.request.invalid", error.message];
    }
    const status = error.statusCode ?? 500;
    return status < 500
        ? [status, "bootstrap.request.invalid", error.message]
        : [500, "bootstrap.internal", "the server failed: its log has the details"];
}

/** Answers every error with the one body of this API. */
function setErrorBodies(app: App): void {
    app.setErrorHandler((error: FastifyError | ApiError, request, reply) => {
        const [status, code, message] = describe(error);
        if (status >= 500) {
            request.log.error({ err: error }, "request failed");
        }
        void reply.code(status).send({ error: { code, message, request_id: request.id } });
    });
    app.setNotFoundHandler((request, reply) => {
        const message = "there is no such route: see /docs";
        const code = "bootstrap.route.not_found";
        void reply.code(404).send({ error: { code, message, request_id: request.id } });
    });
}

/**
 * The HTTPS application without the routes that need a store: health, documentation, errors.
 * `isDraining` decides what health answers.
 */
export async function createApp(options: {
    tls: TlsFiles;
    trustedProxies: readonly string[];
    logLevel: LogLevel;
    logTo?: LogTarget | undefined;
    isDraining: () => boolean;
}): Promise<App> {
    const app: App = fastify({
        https: {
            cert: options.tls.certificatePem,
            key: options.tls.keyPem,
            minVersion: "TLSv1.2",
            ...serverLimits,
        },
        requestTimeout,
        connectionTimeout,
        keepAliveTimeout,
        bodyLimit: bodyLimits.small,
        rewriteUrl: readablePath,
        // Parts of a path are as long as headers may be: what a long one names is not found.
        routerOptions: { maxParamLength: connectionLimits.maxHeaderSize },
        // HEAD would run what GET does and throw the answer away: an agent token with it.
        exposeHeadRoutes: false,
        clientErrorHandler: (error, socket) => answerClientError(app.log, error, socket),
        genReqId: () => randomUUID(),
        trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
        // "idle": a drain finishes what is in flight and does not wait for kept-alive connections.
        forceCloseConnections: "idle",
        logger: {
            level: options.logLevel,
            redact: { paths: redactedPaths, remove: true },
            ...(options.logTo ? { stream: options.logTo } : {}),
        },
        // Strict: what a schema does not know is refused, and nothing is converted on the way in.
        ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    }).withTypeProvider<TypeBoxTypeProvider>();
    app.addHook("onRequest", (_request, reply, done) => {
        void reply.header(contractHeader, contractNumber);
        done();
    });
    setErrorBodies(app);
    await app.register(rateLimit, {
        global: false,
        timeWindow: firstContactWindow,
        cache: countedKeys,
    });
    await app.register(swagger, { openapi });
    await app.register(swaggerUi, { routePrefix: "/docs" });
    app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
    app.get(
        "/health",
        {
            logLevel: "warn",
            schema: {
                tags: ["health"],
                summary: "Whether the server takes requests; 418 while it drains",
                response: { 200: schemas.Health, 418: schemas.Health },
            },
        },
        async (_request, reply) =>
            options.isDraining()
                ? reply.code(418).send({ status: "draining" })
                : reply.code(200).send({ status: "ok" }),
    );
    return app;
}
