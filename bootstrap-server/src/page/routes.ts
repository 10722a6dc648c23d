import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import helmet from "@fastify/helmet";
import { Type } from "@sinclair/typebox";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "../errors";
import { bearerToken } from "../secrets";
import { overview } from "../service/overview";
import { closeSession, hasSession, openSession } from "./session";
import { assets, renderPage } from "./templates";
import { pageView } from "./view";
import type { Context } from "../context";
import type { App } from "../routes/types";

/** Largest login form, in bytes. */
const formLimit = 16 * 1024;

/** The page's own files and nothing else; no inline script or style, no frame around it. */
const contentSecurityPolicy = {
    useDefaults: false,
    directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
    },
};

function sendPage(reply: FastifyReply, html: string): FastifyReply {
    return reply.header("cache-control", "no-store").type("text/html; charset=utf-8").send(html);
}

function describe(error: FastifyError | ApiError) {
    const status = error instanceof ApiError ? error.status : (error.statusCode ?? 500);
    return status < 500
        ? { status, title: "The request was not accepted", message: error.message }
        : { status, title: "The server could not answer", message: "Its log has the details." };
}

/** What the page knows of the operator. */
export interface OperatorLogin {
    /** Whether a token is the operator's. */
    accepts(token: string): boolean | Promise<boolean>;
    /** Signs sessions; the same on all replicas. */
    sessionSecret: string;
}

/** Adds the page for people: `GET /`, behind the operator's login or token. */
export async function pageRoutes(
    app: App,
    context: Context,
    operator: OperatorLogin,
): Promise<void> {
    await app.register(cookie, { secret: operator.sessionSecret });
    await app.register(formbody, { bodyLimit: formLimit });
    await app.register(helmet, {
        contentSecurityPolicy,
        // It would bind every server of the host name, on whichever port.
        strictTransportSecurity: false,
    });
    app.setErrorHandler((error: FastifyError | ApiError, request, reply) => {
        const described = describe(error);
        if (described.status >= 500) request.log.error({ err: error }, "page failed");
        const html = renderPage("error", { ...described, requestId: request.id });
        return sendPage(reply.code(described.status), html);
    });
    const schema = { hide: true };

    /** Programs send the token itself, browsers their session. Throws 401 for a wrong token. */
    const isLoggedIn = async (request: FastifyRequest): Promise<boolean> => {
        const token = bearerToken(request.headers.authorization);
        if (token === undefined) return hasSession(request, Date.now());
        if (await operator.accepts(token)) return true;
        throw new ApiError(
            401,
            "bootstrap.operator.unauthorized",
            "This token is not the operator's.",
        );
    };

    for (const { path, type, content } of assets) {
        app.get(path, { schema, logLevel: "warn" }, (_request, reply) =>
            reply.header("cache-control", "public, max-age=300").type(type).send(content),
        );
    }
    app.get(
        "/",
        {
            schema: {
                ...schema,
                querystring: Type.Object({ updates: Type.Optional(Type.String()) }),
            },
            logLevel: "warn",
        },
        async (request, reply) => {
            if (!(await isLoggedIn(request))) return reply.redirect("/login", 303);
            const view = pageView(await overview(context));
            const isLive = request.query.updates !== "off";
            return sendPage(reply, renderPage("overview", { ...view, isLive }));
        },
    );
    app.get("/login", { schema }, (_request, reply) =>
        sendPage(reply, renderPage("login", { isWrong: false })),
    );
    app.post(
        "/login",
        {
            schema: { ...schema, body: Type.Object({ token: Type.String() }) },
            bodyLimit: formLimit,
        },
        async (request, reply) => {
            // People paste with white space around.
            if (!(await operator.accepts(request.body.token.trim()))) {
                request.log.warn({ source_address: request.ip }, "login refused");
                return sendPage(reply.code(401), renderPage("login", { isWrong: true }));
            }
            request.log.info({ source_address: request.ip }, "login");
            openSession(reply, Date.now());
            return reply.redirect("/", 303);
        },
    );
    app.post("/logout", { schema }, (_request, reply) => {
        closeSession(reply);
        return reply.redirect("/login", 303);
    });
}
