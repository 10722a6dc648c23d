import type { FastifyReply, FastifyRequest } from "fastify";

/** `__Host-`: browsers take it over HTTPS only, for this host only. */
const cookie = "__Host-session";
/** How long a login lasts, in milliseconds. */
const lifetime = 60 * 60 * 1000;

const options = { path: "/", httpOnly: true, secure: true, sameSite: "strict" } as const;

/** Logs a browser in: a signed cookie that says until when, and nothing else. */
export function openSession(reply: FastifyReply, now: number): void {
    const expiresAt = now + lifetime;
    void reply.setCookie(cookie, String(expiresAt), {
        ...options,
        signed: true,
        expires: new Date(expiresAt),
    });
}

/** Whether a browser is logged in. The end is read from what was signed: a browser may keep a cookie. */
export function hasSession(request: FastifyRequest, now: number): boolean {
    const sent = request.cookies[cookie];
    if (sent === undefined) return false;
    const { valid, value } = request.unsignCookie(sent);
    return valid && Number(value) > now;
}

/** Logs a browser out. */
export function closeSession(reply: FastifyReply): void {
    void reply.clearCookie(cookie, options);
}
