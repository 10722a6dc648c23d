import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { startExcloudStandIn, type ExcloudStandIn } from "./support/excloud-stand-in";
import { Harness, TestCluster, type TextAnswer } from "./support/harness";
import { startPostgres, type TestPostgres } from "./support/postgres";

let excloud: ExcloudStandIn;
let postgres: TestPostgres;
let harness: Harness;
const encryptionKeys = [randomBytes(32)] as const;
const options = () => ({ databaseUrl: postgres.url, encryptionKeys });

beforeAll(async () => {
    excloud = await startExcloudStandIn();
    postgres = await startPostgres();
    harness = await new Harness(excloud, options()).start();
});
afterAll(async () => {
    await harness.stop();
    await postgres.stop();
    await excloud.stop();
});

const form = { "content-type": "application/x-www-form-urlencoded" };

function logIn(token: string): Promise<TextAnswer> {
    const text = `token=${encodeURIComponent(token)}`;
    return harness.text("/login", { method: "POST", text, headers: form });
}

const cookiesOf = ({ headers }: TextAnswer) => String(headers["set-cookie"] ?? "");
const get = (headers: Record<string, string>) => harness.text("/", { headers });

test("without a login the page sends to the form and shows nothing", async () => {
    await TestCluster.register(harness, "somebody/else");
    for (const path of ["/", "/?updates=off"]) {
        const answer = await harness.text(path);
        expect(answer).toMatchObject({ status: 303, headers: { location: "/login" }, text: "" });
    }
    expect((await harness.text("/login")).text).toContain("Operator");
});

test("a wrong token gets the form again and no cookie", async () => {
    const answer = await logIn("wrong");
    expect([answer.status, cookiesOf(answer)]).toEqual([401, ""]);
    expect(answer.text).toContain("not the operator");
    expect(answer.text).not.toContain("wrong");
    for (const text of ["", "token=a&token=b", "other=1"]) {
        const bad = await harness.text("/login", { method: "POST", text, headers: form });
        expect([bad.status, cookiesOf(bad)]).toEqual([400, ""]);
    }
});

test("the session is a signed cookie of an hour, for this host, HTTPS and no script", async () => {
    const answer = await logIn(` ${harness.server.operatorToken}\n`);
    expect(answer).toMatchObject({ status: 303, headers: { location: "/" } });
    const cookie = cookiesOf(answer);
    expect(cookie).toMatch(/^__Host-session=/);
    for (const attribute of ["Path=/", "HttpOnly", "Secure", "SameSite=Strict", "Expires="]) {
        expect(cookie).toContain(attribute);
    }
    expect(cookie).not.toContain("Domain");
    expect(cookie).not.toContain(harness.server.operatorToken);
    const value = cookie.split(";")[0] ?? "";
    expect(await get({ cookie: value })).toMatchObject({ status: 200 });

    const [expiresAt = "", signature = ""] = decodeURIComponent(value.split("=")[1] ?? "").split(
        ".",
    );
    expect(Number(expiresAt) - Date.now()).toBeGreaterThan(0);
    expect(Number(expiresAt) - Date.now()).toBeLessThanOrEqual(60 * 60 * 1000);
    const later = String(Number(expiresAt) + 1);
    for (const forged of [`${later}.${signature}`, later, `${expiresAt}.`, "", `${expiresAt}.x`]) {
        const cookie = `__Host-session=${encodeURIComponent(forged)}`;
        expect((await get({ cookie })).status).toBe(303);
    }
});

test("a session holds on every replica, until the operator has another token", async () => {
    const cookie = cookiesOf(await logIn(harness.server.operatorToken)).split(";")[0] ?? "";
    const statusAt = async (operatorToken: string) => {
        const replica = await new Harness(excloud, { ...options(), operatorToken }).start();
        try {
            return (await replica.text("/", { headers: { cookie } })).status;
        } finally {
            await replica.stop();
        }
    };
    expect(await statusAt(harness.server.operatorToken)).toBe(200);
    expect(await statusAt("another-operator-token-of-32-characters")).toBe(303);
});

test("programs send the token itself", async () => {
    const bearer = (token: string) => get({ authorization: `Bearer ${token}` });
    expect((await bearer(harness.server.operatorToken)).status).toBe(200);
    const refused = await bearer("wrong");
    expect([refused.status, refused.headers["location"]]).toEqual([401, undefined]);
});

test("every page forbids foreign scripts, frames and caches", async () => {
    const token = harness.server.operatorToken;
    for (const [path, call] of [
        ["/", { token }],
        ["/login", {}],
        ["/", { token: "wrong" }],
    ] as const) {
        const { headers } = await harness.text(path, call);
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
    const answer = await harness.text("/logout", { method: "POST" });
    expect(answer).toMatchObject({ status: 303, headers: { location: "/login" } });
    expect(cookiesOf(answer)).toMatch(/^__Host-session=;.*Expires=Thu, 01 Jan 1970/);
    expect((await harness.text("/logout")).status).toBe(404);
});
