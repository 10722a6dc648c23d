import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import helmet from "@fastify/helmet";
import { Type } from "@sinclair/typebox";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";

import type { Context } from "../context";
import { ApiError } from "../errors";
import { bearerOf } from "../routes/headers";
import type { App } from "../routes/types";
import { overview } from "../service/overview";
import { closeSession, openSession, sessionToken } from "./session";
import { assets, renderPage } from "./templates";
import { pageView } from "./view";

/** Largest login form, in bytes. */
const formLimit = 16 * 1024;

/** Logins of one address in the window that the server counts requests over. */
const loginsPerAddress = 10;

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

/** Adds the page for people: `GET /`, behind an operator's login or token. */
export async function pageRoutes(app: App, context: Context): Promise<void> {
    const { keyring, operators } = context;
    await app.register(cookie);
    await app.register(formbody, { bodyLimit: formLimit });
    await app.register(helmet, {
        contentSecurityPolicy,
        // It would bind every server of the host name, on whichever port.
        strictTransportSecurity: false,
    });
    app.setErrorHandler((error: FastifyError | ApiError, request, reply) => {
        const described = describe(error);
        if (described.status >= 500) {
            request.log.error({ err: error }, "page failed");
        }
        const html = renderPage("error", { ...described, requestId: request.id });
        return sendPage(reply.code(described.status), html);
    });
    const schema = { hide: true };

    /** Programs send the token itself, browsers their session. Throws 401 for a wrong token. */
    const isLoggedIn = async (request: FastifyRequest): Promise<boolean> => {
        const sent = bearerOf(request);
        const token = sent ?? sessionToken(keyring, request);
        if (token !== undefined && (await operators.verify(token))) {
            return true;
        }
        if (sent === undefined) {
            return false;
        }
        throw new ApiError(
            401,
            "bootstrap.operator.unauthorized",
            "The token is not an operator's.",
        );
    };
    const logins = app.createRateLimit({ max: loginsPerAddress });
    const limitLogins = async (request: FastifyRequest): Promise<void> => {
        const counted = await logins(request);
        if (counted.isAllowed || !counted.isExceeded) {
            return;
        }
        throw new ApiError(429, "bootstrap.rate.exceeded", "Too many logins: wait some seconds.");
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
            if (!(await isLoggedIn(request))) {
                return reply.redirect("/login", 303);
            }
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
            onRequest: limitLogins,
        },
        async (request, reply) => {
            // People paste with white space around.
            const token = request.body.token.trim();
            const operator = await operators.verify(token);
            const source_address = request.ip;
            if (!operator) {
                request.log.info({ source_address }, "login refused");
                return sendPage(reply.code(401), renderPage("login", { isWrong: true }));
            }
            request.log.info({ source_address, operator: operator.name }, "login");
            openSession(keyring, reply, token);
            return reply.redirect("/", 303);
        },
    );
    app.post("/logout", { schema }, (_request, reply) => {
        closeSession(reply);
        return reply.redirect("/login", 303);
    });
}
