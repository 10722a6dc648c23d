// What the requests of nodes cost the database: statements, as the driver sends them.
import { expect, jest, test } from "@jest/globals";
import { Client } from "pg";

import type { Context } from "../../../bootstrap-server/src/context";
import { settledRelease } from "../../../bootstrap-server/src/service/settled";
import { databaseClock } from "../../../bootstrap-server/src/store/clock";
import { orgId } from "./support/excloud-stand-in";
import { newVmId, TestCluster, TestNode } from "./support/harness";
import { OnPostgres } from "./support/on-postgres";

// Before the server connects: it keeps the method it finds.
const query = jest.spyOn(Client.prototype, "query");
const field = new OnPostgres();

/** The statements that some work makes the server send, each by its verbs and tables. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
    query.mockClear();
    await work();
    return query.mock.calls.map(([sent]) => {
        const text = typeof sent === "string" ? sent : (sent as unknown as { text: string }).text;
        const words = text.replaceAll('"', "");
        const parts = words.match(
            /^(?:begin|commit)|for update|\b(?:from|join|update|insert into) \w+/gi,
        );
        return (parts ?? [words]).join(", ").toLowerCase();
    });
}

test("a first contact that is given its bundle", async () => {
    const { nodes } = await TestCluster.complete(field.harness, ["cp-1", "worker-1"]);
    const [controlPlane, worker] = nodes as [TestNode, TestNode];
    const upToNodes = [
        "from nodes, join clusters",
        "begin",
        "from clusters, for update",
        "from nodes",
    ];
    const founding = ["from bootstrap_pool_files", "update clusters"];
    const release = [
        "update nodes",
        "from bootstrap_generations",
        "from bootstrap_contents",
        "commit",
        "update nodes, insert into bootstrap_audit",
    ];
    expect(await statementsOf(() => worker.firstContact())).toEqual([...upToNodes, ...release]);
    // The first control plane founds etcd.
    expect(await statementsOf(() => controlPlane.firstContact())).toEqual([
        ...upToNodes,
        ...founding,
        ...release,
    ]);
    expect(await statementsOf(() => controlPlane.firstContact())).toEqual([
        ...upToNodes,
        ...release,
    ]);
});

test("a first contact that is refused: the same, whatever was wrong", async () => {
    const { nodes } = await TestCluster.complete(field.harness, ["cp-1"]);
    const [node] = nodes as [TestNode];
    const unbound = new TestNode(node.cluster, "cp-2", newVmId());
    const refusals = {
        "no slot secret": () => node.firstContact({ headers: {} }),
        "another slot's secret": () => node.firstContact({ headers: unbound.factors }),
        "no VM's token": () => node.firstContact({ token: "unknown" }),
        "an address that is not the VM's": () => node.firstContact({ from: "127.0.0.9" }),
        "a VM without a slot": () => unbound.firstContact(),
    };
    for (const [what, refused] of Object.entries(refusals)) {
        const statements = await statementsOf(async () =>
            expect(await refused()).toMatchObject({ status: 401 }),
        );
        expect([what, statements]).toEqual([
            what,
            [
                "from nodes, join clusters",
                "select clock_timestamp() as now",
                "update nodes, insert into bootstrap_audit",
            ],
        ]);
    }
});

test("an agent's question, whether its bundle changed or not", async () => {
    const { nodes } = await TestCluster.running(field.harness, ["cp-1"]);
    const [node] = nodes as [TestNode];
    const { revision } = (await node.bundle()).body;
    for (const known of [revision, undefined]) {
        expect(await statementsOf(() => node.bundle(known))).toEqual([
            "from bootstrap_generations, from nodes, join clusters, join nodes",
        ]);
    }
});

test("agents that ask in the same moment share a statement, and get each their own answer", async () => {
    const clusters = [
        await TestCluster.running(field.harness, ["cp-1", "worker-1"]),
        await TestCluster.running(field.harness, ["cp-1"]),
    ];
    const nodes = clusters.flatMap((one) => one.nodes);
    const { db } = field.harness.server;
    const context = { db, clock: databaseClock, orgId } as Context;
    const tokens = [...nodes.map((node) => node.agentToken!), "unknown"];
    let answers: (string | undefined)[] = [];
    const statements = await statementsOf(async () => {
        const released = await Promise.all(tokens.map((token) => settledRelease(context, token)));
        answers = released.map((one) => one && `${one.node.kubecluster_id} ${one.node.slot}`);
    });
    expect(answers).toEqual([...nodes.map((node) => `${node.cluster.id} ${node.slot}`), undefined]);
    expect(statements).toEqual([
        "from bootstrap_generations, from nodes, join clusters, join nodes",
    ]);
});

test("more agents than one statement asks for get their answers too", async () => {
    const { nodes } = await TestCluster.running(field.harness, ["cp-1"]);
    const { db } = field.harness.server;
    const context = { db, clock: databaseClock, orgId } as Context;
    const strangers = Array.from({ length: 130 }, (_, index) => `unknown ${index}`);
    const tokens = [...strangers, nodes[0]!.agentToken!];
    const released = await Promise.all(tokens.map((token) => settledRelease(context, token)));
    expect(released.filter((one) => one).map((one) => one!.node.slot)).toEqual(["cp-1"]);
    expect(released.at(-1)).toBeDefined();
});
