import { randomBytes } from "node:crypto";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { sql } from "kysely";

import { sha256 } from "../../../bootstrap-server/src/secrets";
import { firstOperatorToken } from "../../../bootstrap-server/src/service/operator-tokens";
import { databaseClock } from "../../../bootstrap-server/src/store/clock";
import { startPostgres, type TestPostgres } from "../../../tools/postgres/postgres";
import { type ExcloudStandIn, orgId, startExcloudStandIn } from "./support/excloud-stand-in";
import { Harness, TestCluster } from "./support/harness";

const threeControlPlanes = ["cp-1", "cp-2", "cp-3"];
const operatorToken = "operator-token-of-both-replicas-000";
const encryptionKeys = [randomBytes(32)] as const;
let excloud: ExcloudStandIn;
let postgres: TestPostgres;
let first: Harness;
let second: Harness;

beforeAll(async () => {
    excloud = await startExcloudStandIn();
    postgres = await startPostgres();
    const options = { databaseUrl: postgres.url, operatorToken, encryptionKeys };
    // Together: both migrate the empty database, one of them does it.
    [first, second] = await Promise.all([
        new Harness(excloud, options).start(),
        new Harness(excloud, options).start(),
    ]);
});
afterAll(async () => {
    await Promise.all([first.stop(), second.stop()]);
    await postgres.stop();
    await excloud.stop();
});

test("what one replica took, the other serves", async () => {
    const { nodes } = await TestCluster.complete(first, ["cp-1"]);
    const answer = await nodes[0]?.firstContact({}, second);
    expect(answer?.body.files["/etc/role"]).toBe("role 1");
});

test("a VM that asks both replicas at the same moment has its bundle twice, and one agent token", async () => {
    for (let round = 0; round < 5; round++) {
        const { nodes } = await TestCluster.complete(first, ["cp-1"]);
        const node = nodes[0]!;
        const answers = await Promise.all([first, second].map((on) => node.firstContact({}, on)));
        expect(answers.map(({ body }) => body.files["/etc/role"])).toEqual(["role 1", "role 1"]);
        const statuses: number[] = [];
        for (const { body } of answers) {
            node.agentToken = body.agent_token;
            const heard = await Promise.all(
                [first, second].map((on) => node.bundle(undefined, on)),
            );
            expect(heard[0]!.status).toBe(heard[1]!.status);
            statuses.push(heard[0]!.status);
        }
        // The token of the bundle that was given last. A VM that kept the other one asks again, and has it.
        expect(statuses.sort()).toEqual([200, 401]);
        expect((await node.firstContact({}, second)).status).toBe(200);
        expect((await node.bundle(undefined, first)).status).toBe(200);
    }
});

test("replicas that start together on an empty database migrate it once, and make one first token", async () => {
    await sql.raw("CREATE DATABASE empty").execute(first.server.db);
    const databaseUrl = postgres.url.replace(/[^/]+$/, "empty");
    const together = await Promise.all(
        [1, 2, 3, 4].map(() => new Harness(excloud, { databaseUrl, encryptionKeys }).start()),
    );
    try {
        const tokens = together.flatMap(({ server }) => server.operatorToken ?? []);
        expect(tokens).toHaveLength(1);
        for (const replica of together) {
            const answer = await replica.call("/v1/clusters", { token: tokens[0] });
            expect(answer.status).toBe(200);
        }
        // Once more at the very same moment, which starting servers seldom are.
        await together[0]?.server.db.deleteFrom("bootstrap_operator_tokens").execute();
        const raced = await Promise.all(
            together.map(({ server, dataDir }) =>
                firstOperatorToken(
                    { db: server.db, clock: databaseClock },
                    join(dataDir, "another"),
                    undefined,
                ),
            ),
        );
        expect(raced.filter((token) => token !== undefined)).toHaveLength(1);
    } finally {
        await Promise.all(together.map((replica) => replica.stop()));
    }
});

test("a rollout raced through both replicas releases one control plane", async () => {
    for (let round = 0; round < 5; round++) {
        const { cluster, nodes } = await TestCluster.running(first, threeControlPlanes);
        await cluster.putPoolFiles("cp", threeControlPlanes, `round ${round}`);
        for (const node of nodes) {
            await cluster.putBundle(node.slot, cluster.bundleBody(node.slot, node.vmId));
        }
        const answers = await Promise.all(
            [first, second].flatMap((replica) =>
                nodes.map(async (node) => ({
                    slot: node.slot,
                    text: (await node.bundle(undefined, replica)).body.files["/etc/role"],
                })),
            ),
        );
        const released = answers.filter(({ text }) => text === `round ${round}`);
        expect(new Set(released.map(({ slot }) => slot)).size).toBe(1);
    }
});

test("a replica with another encryption key does not start", async () => {
    const stranger = new Harness(excloud, {
        databaseUrl: postgres.url,
        encryptionKeys: [randomBytes(32)],
    });
    await expect(stranger.start()).rejects.toThrow("EXCLOUD_BOOTSTRAP_ENCRYPTION_KEYS");
});

/**
 * Mode excloud on tables made as the server assumes them. It does not prove the cloud's names, which
 * are not known.
 */
test("mode excloud: session token, access token and address must agree", async () => {
    const { db } = first.server;
    const options = {
        databaseUrl: postgres.url,
        operatorToken,
        mode: "excloud",
        encryptionKeys,
    } as const;
    await expect(new Harness(excloud, options).start()).rejects.toThrow("shared database");
    for (const statement of [
        "CREATE TABLE vms (id bigint PRIMARY KEY)",
        "CREATE TABLE interfaces (id bigint PRIMARY KEY, vm_id bigint, ipv4 text, ipv6 text)",
        "CREATE TABLE public_ipv4s (interface_id bigint, ipv4 text)",
    ]) {
        await sql.raw(statement).execute(db);
    }
    const harness = await new Harness(excloud, options).start();
    try {
        const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1"]);
        const node = nodes[0];
        if (!node) {
            throw new Error("no node");
        }
        expect((await cluster.operator("")).body.mode).toBe("excloud");
        const { vmId } = node;
        await sql`INSERT INTO vms VALUES (${vmId})`.execute(db);
        await sql`INSERT INTO interfaces VALUES (1, ${vmId}, '127.0.0.1', NULL)`.execute(db);
        await sql`INSERT INTO public_ipv4s VALUES (1, '127.0.0.3')`.execute(db);
        const session = async (token: string, vm: number, org: number, expiry: string) => {
            await db
                .insertInto("imds_tokens")
                .values({ hash: sha256(token), vm_id: vm, org_id: org, expiry_at: expiry })
                .execute();
        };
        const later = "2999-01-01T00:00:00Z";
        await session("good", vmId, orgId, later);
        await session("expired", vmId, orgId, "2020-01-01T00:00:00Z");
        await session("other-vm", vmId + 1, orgId, later);
        await session("other-org", vmId, orgId + 1, later);
        excloud.principals.set("a-user", { org_id: orgId, kind: "user" });
        excloud.principals.set("foreign", { org_id: orgId + 1, kind: "machine" });

        const reasonOf = async (imdsToken: string, more = {}) => {
            const headers = { "x-exc-imds-token": imdsToken };
            const { status, body } = await node.firstContact({ headers, ...more });
            if (status === 200) {
                return "served";
            }
            const { rows } = await sql<{ reason: string }>`SELECT reason FROM bootstrap_audit
                WHERE request_id = ${body.error.request_id}`.execute(db);
            return rows[0]?.reason;
        };
        expect(await reasonOf("unknown")).toBe("imds_token_unknown");
        expect(await reasonOf("expired")).toBe("imds_token_expired");
        expect(await reasonOf("other-vm")).toBe("other_vm");
        expect(await reasonOf("other-org")).toBe("other_organisation");
        expect(await reasonOf("other-org", { token: "foreign" })).toBe("other_organisation");
        expect(await reasonOf("good", { token: "a-user" })).toBe("not_a_machine");
        expect(await reasonOf("good", { token: "unknown" })).toBe("access_token_rejected");
        expect(await reasonOf("good", { from: "127.0.0.2" })).toBe("source_address_mismatch");
        expect(await reasonOf("good", { headers: node.factors })).toBe("missing_factor");
        expect(await reasonOf("good")).toBe("served");
        expect(await reasonOf("good", { from: "127.0.0.3" })).toBe("served");
    } finally {
        await harness.stop();
    }
});
