import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { sha256 } from "../../../contract/manifest";
import { nodeName } from "../../../contract/names";
import { contractHeader, contractNumber } from "../../../contract/number";
import { slotsOf } from "../../../contract/pools";
import { type ExcloudStandIn, startExcloudStandIn } from "./support/excloud-stand-in";
import { Harness, TestCluster, type TestNode } from "./support/harness";
import { startStore, stores, type TestStore } from "./support/stores";

// Pools in the protocol, and the number of the contract.

/** How many bundles of each kind a server gave since it started. */
async function bundlesOf(harness: Harness): Promise<Record<string, number>> {
    const { operatorToken: token } = harness.server;
    const { text } = await harness.text("/metrics", { token });
    const found = text.matchAll(/^bootstrap_bundles_total\{kind="(\w+)"\} (\d+)$/gm);
    return Object.fromEntries([...found].map(([, kind = "", count]) => [kind, Number(count)]));
}

describe.each(stores)("on %s", (store) => {
    let excloud: ExcloudStandIn;
    let database: TestStore;
    let harness: Harness;

    beforeAll(async () => {
        excloud = await startExcloudStandIn();
        database = await startStore(store);
        harness = await new Harness(excloud, database.options).start();
    });
    afterAll(async () => {
        await harness?.stop();
        await database?.stop();
        await excloud?.stop();
    });

    test("the answers of every kind of route carry the number of the contract", async () => {
        const { body } = await harness.call("/ready");
        expect(body).toEqual({ status: "ready", contract: contractNumber });
        for (const path of ["/ready", "/health", "/v1/clusters", "/agent/bundle", "/no/such"]) {
            const { headers } = await harness.call(path);
            expect([path, headers[contractHeader]]).toEqual([path, String(contractNumber)]);
        }
        const refused = await harness.call("/bootstrap/worker/7");
        expect(refused.headers[contractHeader]).toBe(String(contractNumber));
    });

    test("each pool has files of its own, and a node is served those of its pool", async () => {
        const cluster = await TestCluster.register(harness);
        const slots = ["cp-1", "web-1", "data-2-1"];
        for (const slot of slots) {
            expect((await cluster.putSlot(slot)).status).toBe(200);
        }
        await cluster.putPoolFiles("data-2", ["data-2-1"], "files of data-2");
        await cluster.putPoolFiles("cp", ["cp-1"], "files of cp");
        const put = await cluster.putPoolFiles("web", ["web-1"], "files of web");
        expect(put.body).toMatchObject({ pool: "web", role: "worker", slots: ["web-1"] });

        const node = await cluster.bind("web-1");
        const { body } = await node.firstContact();
        expect([body.files["/etc/role"], body.node_name]).toEqual([
            "files of web",
            nodeName("web-1", cluster.id),
        ]);
        // The other pool holds no such content, whatever its role.
        const other = await cluster.putBundle("data-2-1", cluster.bundleBody("data-2-1", 424_242));
        expect(other.body.error.code).toBe("bootstrap.bundle.incomplete");
        expect((await cluster.operator("/pools/web/files", { method: "DELETE" })).status).toBe(204);
        expect((await cluster.operator("/pools/data-2/files")).status).toBe(200);
    });

    test.each([
        ["control planes in a pool of workers", "web", ["web-1"], "control-plane"],
        ["workers in the pool of control planes", "cp", ["cp-1"], "worker"],
        ["a slot of another pool", "web", ["web-1", "data-1"], "worker"],
        ["a slot of a pool whose name begins alike", "web", ["web-a-1"], "worker"],
    ])("%s are refused", async (_, pool, slots, role) => {
        const cluster = await TestCluster.register(harness);
        const { status, body } = await cluster.putPoolFiles(pool, slots, "x", { role });
        expect([status, body.error.code]).toEqual([422, "bootstrap.pool_files.invalid"]);
    });

    test.each(["Web", "web-", "-web", "a".repeat(21), "a.b"])(
        "the pool name %s is refused",
        async (pool) => {
            const cluster = await TestCluster.register(harness);
            expect((await cluster.putPoolFiles(pool, [])).status).toBe(400);
        },
    );

    test("a pool's limit is stored and handed on", async () => {
        const cluster = await TestCluster.register(harness);
        const limitOf = async () =>
            ((await cluster.operator("/pools/web/files")).body as { max_unavailable?: unknown })
                .max_unavailable;
        await cluster.putPoolFiles("web", ["web-1"], "x", { max_unavailable: 2 });
        expect(await limitOf()).toBe(2);
        await cluster.putPoolFiles("web", ["web-1"]);
        expect(await limitOf()).toBeNull();
        const { status } = await cluster.putPoolFiles("web", [], "x", { max_unavailable: 0 });
        expect(status).toBe(400);
    });

    test("what a program says of a change is stored and handed on, the latest word", async () => {
        const { cluster, nodes } = await TestCluster.running(harness, ["cp-1", "web-1"]);
        const worker = nodes[1]!;
        const bundle = cluster.bundleBody("web-1", worker.vmId, "10.0.0.2");
        expect((await cluster.operator("/nodes/web-1/bundle")).body).not.toHaveProperty("tier");
        const said = (generation: string) => ({
            disturbs: "drain",
            tier: 2,
            needs: [{ tier: 0, generation: sha256(generation) }],
        });
        for (const change of [said("a"), said("b"), { disturbs: "nothing" }]) {
            expect((await cluster.putBundle("web-1", { ...bundle, ...change })).status).toBe(200);
            // Twice: the second time the bundle was kept as it was sent.
            for (let round = 0; round < 2; round++) {
                const { body } = await worker.bundle();
                const { disturbs, tier, needs } = body as Partial<ReturnType<typeof said>>;
                expect({ disturbs, tier, needs }).toEqual(change);
            }
            expect((await cluster.operator("/nodes/web-1/bundle")).body).toMatchObject(change);
        }
        const wrong = { ...bundle, disturbs: "everything" };
        expect((await cluster.putBundle("web-1", wrong)).status).toBe(400);
    });

    test("members of a report that the server does not know are ignored", async () => {
        const { nodes } = await TestCluster.complete(harness, ["cp-1"]);
        await nodes[0]!.firstContact();
        const report = await nodes[0]!.report("install", "done", { members: { of: "later" } });
        expect(report.status).toBe(204);
    });
});

test("200 workers that join send as many bundles as there are nodes, and one for each change", async () => {
    const postgres = await startStore("PostgreSQL");
    const excloud = await startExcloudStandIn();
    const limits = { firstContactLimits: { perAddress: 10_000, perVm: 400 } };
    const harness = await new Harness(excloud, { ...postgres.options, ...limits }).start();
    try {
        const workers = slotsOf("web", 200);
        const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1", ...workers]);
        const revisions = new Map<TestNode, string>();
        const join = async (node: TestNode) => {
            revisions.set(node, (await node.firstContact()).body.revision);
        };
        const pollAll = () =>
            Promise.all(
                [...revisions].map(async ([node, revision]) => {
                    const { status, body } = await node.bundle(revision);
                    if (status === 200) {
                        revisions.set(node, body.revision);
                    }
                }),
            );
        const sent = async () => {
            const { first = 0, later = 0 } = await bundlesOf(harness);
            return { first, later };
        };
        await Promise.all(nodes.map(join));
        await pollAll();
        expect(await sent()).toEqual({ first: 201, later: 0 });

        await cluster.putSlot("web-201");
        await cluster.putPoolFiles("web", slotsOf("web", 201));
        await join(await cluster.bind("web-201", "10.1.0.1"));
        await pollAll();
        expect(await sent()).toEqual({ first: 202, later: 0 });

        // A control plane that joins is news for all.
        await cluster.putSlot("cp-2");
        await cluster.bind("cp-2", "10.1.0.2");
        await pollAll();
        await pollAll();
        expect(await sent()).toEqual({ first: 202, later: 202 });
    } finally {
        await harness.stop();
        await postgres.stop();
        await excloud.stop();
    }
});
