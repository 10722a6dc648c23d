import type { FastifyReply, FastifyRequest } from "fastify";

import type { Keyring } from "../store/keyring";

/** `__Host-`: browsers take it over HTTPS only, for this host only. */
const cookie = "__Host-session";
/** How long a login lasts, in milliseconds. */
const lifetimeMs = 60 * 60 * 1000;

const options = { path: "/", httpOnly: true, secure: true, sameSite: "strict" } as const;

/** What a session is sealed as: no content of a file opens as one. */
const sealedAs = "page session";

interface Session {
    token: string;
    /** Milliseconds since 1970. */
    expiresAt: number;
}

/**
 * Logs a browser in. Its cookie holds the operator's token, sealed with the key that replicas share:
 * the token is judged anew at each request, so that revoking it ends its sessions.
 */
export function openSession(keyring: Keyring, reply: FastifyReply, token: string): void {
    const session: Session = { token, expiresAt: Date.now() + lifetimeMs };
    const { keyId, nonce, sealed } = keyring.seal(JSON.stringify(session), sealedAs);
    const parts = [nonce, sealed].map((part) => Buffer.from(part).toString("base64url"));
    const expires = new Date(session.expiresAt);
    void reply.setCookie(cookie, [keyId, ...parts].join("."), { ...options, expires });
}

/** The operator's token of a browser's session; undefined without one, or when it has ended. */
export function sessionToken(keyring: Keyring, request: FastifyRequest): string | undefined {
    const [keyId = "", ...parts] = (request.cookies[cookie] ?? "").split(".");
    const [nonce, sealed] = parts.map((part) => Buffer.from(part, "base64url"));
    if (nonce === undefined || sealed === undefined || !keyring.has(keyId)) {
        return undefined;
    }
    try {
        const text = keyring.open({ keyId, nonce, sealed }, sealedAs);
        const session = JSON.parse(text) as Session;
        return session.expiresAt > Date.now() ? session.token : undefined;
    } catch {
        // Not sealed here.
        return undefined;
    }
}

/** Logs a browser out. */
export function closeSession(reply: FastifyReply): void {
    void reply.clearCookie(cookie, options);
}
