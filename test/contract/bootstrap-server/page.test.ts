import { expect, test } from "@jest/globals";

import type { Context } from "../../../bootstrap-server/src/context";
import {
    createOperatorToken,
    revokeOperatorToken,
} from "../../../bootstrap-server/src/service/operator-tokens";
import { databaseClock } from "../../../bootstrap-server/src/store/clock";
import { Keyring } from "../../../bootstrap-server/src/store/keyring";
import { TestCluster, type TextAnswer } from "./support/harness";
import { OnPostgres } from "./support/on-postgres";

const operatorToken = "operator-token-of-all-replicas-0000";

const field = new OnPostgres({ operatorToken });

const form = { "content-type": "application/x-www-form-urlencoded" };

function logIn(token: string, from = "127.0.0.1"): Promise<TextAnswer> {
    const text = `token=${encodeURIComponent(token)}`;
    return field.harness.text("/login", { method: "POST", text, headers: form, from });
}

const cookiesOf = ({ headers }: TextAnswer) => String(headers["set-cookie"] ?? "");
const get = (headers: Record<string, string>) => field.harness.text("/", { headers });

test("without a login the page sends to the form and shows nothing", async () => {
    await TestCluster.register(field.harness, "somebody/else");
    for (const path of ["/", "/?updates=off"]) {
        const answer = await field.harness.text(path);
        expect(answer).toMatchObject({ status: 303, headers: { location: "/login" }, text: "" });
    }
    expect((await field.harness.text("/login")).text).toContain("Operator");
});

test("a wrong token gets the form again and no cookie", async () => {
    const answer = await logIn("wrong");
    expect([answer.status, cookiesOf(answer)]).toEqual([401, ""]);
    expect(answer.text).toContain("not the operator");
    expect(answer.text).not.toContain("wrong");
    for (const text of ["", "token=a&token=b", "other=1"]) {
        const bad = await field.harness.text("/login", { method: "POST", text, headers: form });
        expect([bad.status, cookiesOf(bad)]).toEqual([400, ""]);
    }
});

test("the session is a sealed cookie, for this host, HTTPS and no script", async () => {
    const answer = await logIn(` ${operatorToken}\n`);
    expect(answer).toMatchObject({ status: 303, headers: { location: "/" } });
    const cookie = cookiesOf(answer);
    expect(cookie).toMatch(/^__Host-session=/);
    for (const attribute of ["Path=/", "HttpOnly", "Secure", "SameSite=Strict", "Expires="]) {
        expect(cookie).toContain(attribute);
    }
    expect(cookie).not.toContain("Domain");
    expect(cookie).not.toContain(operatorToken);
    const value = cookie.split(";")[0] ?? "";
    expect(await get({ cookie: value })).toMatchObject({ status: 200 });

    const [keyId = "", nonce = "", sealed = ""] = (value.split("=")[1] ?? "").split(".");
    const flipped = `${sealed.startsWith("A") ? "B" : "A"}${sealed.slice(1)}`;
    const own = `${keyId}.${nonce}`;
    for (const forged of [`${own}.${flipped}`, own, `${own}.`, "", `x.${nonce}.${sealed}`, `..`]) {
        expect((await get({ cookie: `__Host-session=${forged}` })).status).toBe(303);
    }
});

test("a session ends after an hour, and a sealed file is none", async () => {
    const keyring = new Keyring(field.encryptionKeys);
    const status = async (text: string, context: string) => {
        const { keyId, nonce, sealed } = keyring.seal(text, context);
        const parts = [nonce, sealed].map((part) => Buffer.from(part).toString("base64url"));
        return (await get({ cookie: `__Host-session=${[keyId, ...parts].join(".")}` })).status;
    };
    const session = (expiresAt: number) => JSON.stringify({ token: operatorToken, expiresAt });
    expect(await status(session(Date.now() + 60_000), "page session")).toBe(200);
    expect(await status(session(Date.now() - 1), "page session")).toBe(303);
    expect(await status(session(Date.now() + 60_000), "1/abc")).toBe(303);
    expect(await status("null", "page session")).toBe(303);
});

test("an address that tries many tokens is slowed down", async () => {
    const from = "127.0.0.99";
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 11; attempt++) {
        statuses.push((await logIn("guess", from)).status);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
});

test("a session holds on every replica, until its token is revoked", async () => {
    const context = { db: field.harness.server.db, clock: databaseClock } as Context;
    const { token } = await createOperatorToken(context, { name: "ann" });
    const cookie = cookiesOf(await logIn(token)).split(";")[0] ?? "";
    const replica = await field.replica();
    try {
        const statuses = async () => [
            (await get({ cookie })).status,
            (await replica.text("/", { headers: { cookie } })).status,
        ];
        expect(await statuses()).toEqual([200, 200]);
        await revokeOperatorToken(context, "ann");
        expect(await statuses()).toEqual([303, 303]);
    } finally {
        await replica.stop();
    }
});

test("programs send the token itself", async () => {
    const bearer = (token: string) => get({ authorization: `Bearer ${token}` });
    expect((await bearer(operatorToken)).status).toBe(200);
    const refused = await bearer("wrong");
    expect([refused.status, refused.headers["location"]]).toEqual([401, undefined]);
});

test("every page forbids foreign scripts, frames and caches", async () => {
    const token = operatorToken;
    for (const [path, call] of [
        ["/", { token }],
        ["/login", {}],
        ["/", { token: "wrong" }],
    ] as const) {
        const { headers } = await field.harness.text(path, call);
        const policy = String(headers["content-security-policy"]);
        expect(policy).toContain("default-src 'none'");
        expect(policy).toContain("frame-ancestors 'none'");
        expect(policy).not.toContain("unsafe");
        expect(headers).toMatchObject({
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        });
        expect(headers["strict-transport-security"]).toBeUndefined();
    }
});

test("logging out takes the cookie away", async () => {
    const answer = await field.harness.text("/logout", { method: "POST" });
    expect(answer).toMatchObject({ status: 303, headers: { location: "/login" } });
    expect(cookiesOf(answer)).toMatch(/^__Host-session=;.*Expires=Thu, 01 Jan 1970/);
    expect((await field.harness.text("/logout")).status).toBe(404);
});
