import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import fastify, { type FastifyError } from "fastify";
import { randomUUID } from "node:crypto";
import type { LogLevel } from "./options";
import { ApiError } from "./errors";
import { bodyLimits, connectionLimits, countedKeys, firstContactWindow } from "./limits";
import * as schemas from "./routes/schemas";
import type { App } from "./routes/types";
import type { TlsFiles } from "./tls";

const { requestTimeout, connectionTimeout, keepAliveTimeout, ...serverLimits } = connectionLimits;

/** Where a secret could stand in a log line. */
const redactedPaths = [
    "req.headers.authorization",
    'req.headers["x-exk8s-slot-secret"]',
    'req.headers["x-exc-imds-token"]',
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
        version: "1",
    },
    components: {
        securitySchemes: {
            operator: { type: "http", scheme: "bearer", description: "operator token" },
            agent: { type: "http", scheme: "bearer", description: "agent token of a first bundle" },
            accessToken: { type: "http", scheme: "bearer", description: "access token from IMDS" },
            slotSecret: { type: "apiKey", in: "header", name: "X-exk8s-slot-secret" },
            imdsToken: { type: "apiKey", in: "header", name: "X-exc-imds-token" },
        },
    },
} as const;

/** Status, code and message of anything a handler throws; details of a bug stay in the log. */
function describe(error: FastifyError | ApiError): [number, string, string] {
    if (error instanceof ApiError) return [error.status, error.code, error.message];
    if (error.validation) return [400, "bootstrap.request.invalid", error.message];
    const status = error.statusCode ?? 500;
    return status < 500
        ? [status, "bootstrap.request.invalid", error.message]
        : [500, "bootstrap.internal", "the server failed: its log has the details"];
}

/** Answers every error with the one body of this API. */
function setErrorBodies(app: App): void {
    app.setErrorHandler((error: FastifyError | ApiError, request, reply) => {
        const [status, code, message] = describe(error);
        if (status >= 500) request.log.error({ err: error }, "request failed");
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
        genReqId: () => randomUUID(),
        trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
        // "idle": a drain finishes what is in flight and does not wait for kept-alive connections.
        forceCloseConnections: "idle",
        logger: { level: options.logLevel, redact: { paths: redactedPaths, remove: true } },
        // Strict: what a schema does not know is refused, and nothing is converted on the way in.
        ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    }).withTypeProvider<TypeBoxTypeProvider>();
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
