import { once } from "node:events";
import { mkdtemp, rm, unlink } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { exportJWK, generateKeyPair, type JWK, type KeyLike, SignJWT, UnsecuredJWT } from "jose";

import { askServer } from "../../../bootstrap-server/src/control/client";
import { dataPaths } from "../../../bootstrap-server/src/data-dir";
import { type ExcloudStandIn, startExcloudStandIn } from "./support/excloud-stand-in";
import { Harness } from "./support/harness";
import { startStore, stores, type TestStore } from "./support/stores";

let excloud: ExcloudStandIn;
beforeAll(async () => {
    excloud = await startExcloudStandIn();
});
afterAll(() => excloud.stop());

const unauthorized = {
    status: 401,
    body: { error: { code: "bootstrap.operator.unauthorized" } },
};
const minute = 60_000;
const day = 24 * 60 * minute;

async function withHarness(
    options: ConstructorParameters<typeof Harness>[1],
    work: (harness: Harness) => Promise<void>,
): Promise<void> {
    const harness = await new Harness(excloud, options).start();
    try {
        await work(harness);
    } finally {
        await harness.stop();
    }
}

describe.each(stores)("tokens on %s", (store) => {
    let place: TestStore;
    let dataDir: string;
    let options: { databaseUrl?: string; dataDir: string };
    beforeAll(async () => {
        place = await startStore(store);
        dataDir = await mkdtemp(join(tmpdir(), "operators-"));
        options = { dataDir, ...place.options };
    });
    afterAll(async () => {
        await place.stop();
        await rm(dataDir, { recursive: true });
    });

    const statusWith = async (harness: Harness, token: string | undefined) =>
        (await harness.call("/v1/clusters", { token })).status;
    const path = "/local/operator-tokens";
    const create = (name: string, days?: number) =>
        askServer<{ token: string }>(dataDir, { method: "POST", path, body: { name, days } });

    test("are made with an end, work until then, and end when revoked", async () => {
        await withHarness(options, async (harness) => {
            const forever = (await create("ci")).token;
            const short = (await create("visitor", 1)).token;
            expect(await statusWith(harness, forever)).toBe(200);
            expect(await statusWith(harness, short)).toBe(200);
            await expect(create("ci")).rejects.toThrow("ci was made before");
            await expect(create("environment")).rejects.toThrow("another name");

            harness.ahead += day + minute;
            expect(await statusWith(harness, short)).toBe(401);
            expect(await statusWith(harness, forever)).toBe(200);
            harness.ahead -= day + minute;

            await askServer(dataDir, { method: "DELETE", path: `${path}/ci` });
            expect(await harness.call("/v1/clusters", { token: forever })).toMatchObject(
                unauthorized,
            );
            await expect(
                askServer(dataDir, { method: "DELETE", path: `${path}/ci` }),
            ).rejects.toThrow("no operator token called ci");
            const listed = await askServer<object>(dataDir, { method: "GET", path });
            expect(listed).toMatchObject({
                tokens: expect.arrayContaining([
                    expect.objectContaining({ name: "ci", revoked_at: expect.any(String) }),
                    expect.objectContaining({ name: "visitor", revoked_at: null }),
                ]),
            });
            expect(JSON.stringify(listed)).not.toContain(short);
            const rows = await harness.server.db
                .selectFrom("bootstrap_operator_tokens")
                .selectAll()
                .execute();
            expect(JSON.stringify(rows)).not.toContain(short);
        });
    });

    test("are made by nobody over the network, whatever they hold", async () => {
        await withHarness(options, async (harness) => {
            for (const method of ["GET", "POST", "DELETE"] as const) {
                const body = method === "POST" ? { name: "mine" } : undefined;
                const answer = await harness.operator(path, { method, body });
                expect(answer).toMatchObject({
                    status: 404,
                    body: { error: { code: "bootstrap.route.not_found" } },
                });
            }
        });
    });

    test("the first one lies in the data folder, and is one of them from then on", async () => {
        let first: string | undefined;
        await withHarness(options, async (harness) => {
            first = harness.server.operatorToken;
            expect(harness.server.tokenFile).toBe(dataPaths(dataDir).operatorToken);
            expect(await statusWith(harness, first)).toBe(200);
        });
        await unlink(dataPaths(dataDir).operatorToken);
        await withHarness(options, async (harness) => {
            // Others are known: no file is made that nobody asked for.
            expect(harness.server.operatorToken).toBeUndefined();
            expect(harness.server.tokenFile).toBeUndefined();
            expect(await statusWith(harness, first)).toBe(200);
        });
    });

    test("the environment's takes the place of the one before; once revoked it is refused", async () => {
        const [one, two] = ["one", "two"].map((word) => word.padEnd(40, "-"));
        await withHarness({ ...options, operatorToken: one ?? "" }, async (harness) => {
            expect(await statusWith(harness, one)).toBe(200);
        });
        await withHarness({ ...options, operatorToken: two ?? "" }, async (harness) => {
            expect(await statusWith(harness, two)).toBe(200);
            expect(await statusWith(harness, one)).toBe(401);
            await askServer(dataDir, { method: "DELETE", path: `${path}/environment` });
            expect(await statusWith(harness, two)).toBe(401);
        });
        const again = new Harness(excloud, { ...options, operatorToken: two ?? "" });
        await expect(again.start()).rejects.toThrow("EXCLOUD_BOOTSTRAP_TOKEN");
    });

    test("every change is in the audit with who asked for it, also what failed; reading is not", async () => {
        await withHarness(options, async (harness) => {
            const token = (await create(`auditor-${store.toLowerCase()}`)).token;
            const call = { method: "POST", token, body: { key: "audited" } } as const;
            await harness.call("/v1/clusters", call);
            await harness.call("/v1/clusters/1", { method: "DELETE", token });
            await harness.call("/v1/clusters", { token });
            await harness.call("/v1/clusters", { ...call, token: "stranger" });
            const rows = await harness.server.db
                .selectFrom("bootstrap_operator_audit")
                .select(["operator", "method", "path", "source_address"])
                .orderBy("id", "desc")
                .limit(3)
                .execute();
            const operator = `token auditor-${store.toLowerCase()}`;
            const source_address = "127.0.0.1";
            expect(rows.reverse()).toEqual([
                { operator: "local", method: "POST", path, source_address: "local" },
                { operator, method: "POST", path: "/v1/clusters", source_address },
                { operator, method: "DELETE", path: "/v1/clusters/1", source_address },
            ]);
        });
    });
});

describe("signed tokens", () => {
    const issuer = "https://issuer.example.org";
    const audience = "excloud-k8s-bootstrap";
    const [rsa, ec, stranger] = ["RS256", "ES256", "RS256"].map((alg) => generateKeyPair(alg));
    let provider: Server;
    let served: JWK[] | undefined;
    let harness: Harness;

    const publicJwk = async (pair: typeof rsa, kid: string, alg: string) => ({
        ...(await exportJWK(((await pair) as { publicKey: KeyLike }).publicKey)),
        kid,
        alg,
    });
    beforeAll(async () => {
        served = [await publicJwk(rsa, "rsa", "RS256"), await publicJwk(ec, "ec", "ES256")];
        provider = createServer((_request, response) => {
            response.writeHead(served ? 200 : 503, { "content-type": "application/json" });
            response.end(JSON.stringify({ keys: served }));
        }).listen(0, "127.0.0.1");
        await once(provider, "listening");
        const jwksUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/jwks`;
        const subjects = ["alice"];
        harness = await new Harness(excloud, {
            operatorAuth: { mode: "jwt", issuer, audience, jwksUrl, subjects },
        }).start();
    });
    afterAll(async () => {
        await harness.stop();
        provider.close();
    });

    interface Claims {
        iss?: string;
        aud?: string;
        sub?: string;
        exp?: number;
        nbf?: number;
    }
    /** So many seconds from now, as tokens tell time. */
    const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
    const good = { iss: issuer, aud: audience, sub: "alice", exp: inSeconds(24 * 3600) };
    const signed = async (claims: Claims, pair = rsa, kid = "rsa", alg = "RS256") => {
        const { privateKey } = (await pair) as { privateKey: KeyLike };
        return new SignJWT({ ...claims }).setProtectedHeader({ alg, kid }).sign(privateKey);
    };
    const call = async (token: string) => harness.call("/v1/clusters", { token });

    test("a good one is an operator's, of both kinds of key; the clock may be a little off", async () => {
        expect((await call(await signed(good))).status).toBe(200);
        expect((await call(await signed(good, ec, "ec", "ES256"))).status).toBe(200);
        expect((await call(await signed({ ...good, exp: inSeconds(-30) }))).status).toBe(200);
        expect(harness.server.operatorToken).toBeUndefined();
    });

    test.each<[string, () => Promise<string> | string]>([
        ["another issuer", () => signed({ ...good, iss: "https://other.example.org" })],
        ["another audience", () => signed({ ...good, aud: "another" })],
        ["another subject", () => signed({ ...good, sub: "mallory" })],
        ["no subject", () => signed({ iss: issuer, aud: audience, exp: good.exp })],
        ["expired", () => signed({ ...good, exp: inSeconds(-120) })],
        ["no end", () => signed({ iss: issuer, aud: audience, sub: "alice" })],
        ["not yet", () => signed({ ...good, nbf: inSeconds(120) })],
        ["another key under the same name", () => signed(good, stranger)],
        ["an unknown key", () => signed(good, stranger, "unknown")],
        ["another RSA algorithm", () => signed(good, rsa, "rsa", "PS256")],
        ["unsigned", () => new UnsecuredJWT({ ...good }).encode()],
        [
            "signed with the public key as a shared secret",
            async () =>
                new SignJWT({ ...good })
                    .setProtectedHeader({ alg: "HS256", kid: "rsa" })
                    .sign(Buffer.from(JSON.stringify(served?.[0]))),
        ],
        ["no JWT at all", () => "x".repeat(43)],
    ])("refuses: %s", async (_what, make) => {
        expect(await call(await make())).toMatchObject(unauthorized);
    });

    test("an identity provider that fails is said to fail", async () => {
        const keys = served;
        served = undefined;
        try {
            await withHarness(
                {
                    operatorAuth: {
                        mode: "jwt",
                        issuer,
                        audience,
                        subjects: ["alice"],
                        jwksUrl: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/`,
                    },
                },
                async (other) => {
                    const answer = await other.call("/v1/clusters", { token: await signed(good) });
                    expect(answer).toMatchObject({
                        status: 503,
                        body: { error: { code: "bootstrap.operator.unavailable" } },
                    });
                },
            );
        } finally {
            served = keys;
        }
    });
});

test("a static token is the one given", async () => {
    const token = "s".repeat(40);
    await withHarness({ operatorAuth: { mode: "static", token } }, async (harness) => {
        expect((await harness.call("/v1/clusters", { token })).status).toBe(200);
        expect(await harness.call("/v1/clusters", { token: `${token}s` })).toMatchObject(
            unauthorized,
        );
    });
});
