import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "@jest/globals";

import { newVmId, TestCluster } from "./support/harness";
import { OnPostgres } from "./support/on-postgres";

const field = new OnPostgres();

const statusOf = async (path: string) => (await field.harness.text(path)).status;

/** Samples by name with labels, as Prometheus reads them. */
async function samples(): Promise<Map<string, number>> {
    const { status, text, headers } = await field.harness.text("/metrics", {
        token: field.harness.server.operatorToken,
    });
    expect(status).toBe(200);
    expect(headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return new Map(
        lines.map((line) => {
            const space = line.lastIndexOf(" ");
            return [line.slice(0, space), Number(line.slice(space + 1))];
        }),
    );
}

test("metrics are an operator's", async () => {
    expect(await statusOf("/metrics")).toBe(401);
    expect((await field.harness.text("/metrics", { token: "wrong" })).status).toBe(401);
});

test("metrics count requests, decisions, bundles, clusters, nodes, connections", async () => {
    const before = await samples();
    const { nodes } = await TestCluster.running(field.harness, ["cp-1", "worker-1"]);
    await nodes[0]?.report("addons", "failed");
    const { revision } = (await nodes[0]?.bundle())?.body ?? {};
    await nodes[0]?.bundle(revision);
    await nodes[0]?.firstContact({ from: "127.0.0.9" });
    const after = await samples();
    const more = (sample: string) => (after.get(sample) ?? 0) - (before.get(sample) ?? 0);

    const seconds = "bootstrap_http_request_duration_seconds";
    const ofAgents = `method="GET",route="/agent/bundle"`;
    expect(more(`${seconds}_count{${ofAgents},status="200"}`)).toBe(1);
    expect(more(`${seconds}_count{${ofAgents},status="304"}`)).toBe(1);
    expect(more(`${seconds}_bucket{le="+Inf",${ofAgents},status="200"}`)).toBe(1);
    const contacts = "bootstrap_first_contacts_total";
    expect(more(`${contacts}{decision="released",reason="verified"}`)).toBe(2);
    expect(more(`${contacts}{decision="refused",reason="source_address_mismatch"}`)).toBe(1);
    for (const [kind, number] of [
        ["first", 2],
        ["later", 1],
        ["unchanged", 1],
    ] as const) {
        expect(more(`bootstrap_bundles_total{kind="${kind}"}`)).toBe(number);
    }
    expect(more("bootstrap_clusters")).toBe(1);
    expect(more(`bootstrap_nodes{state="failed"}`)).toBe(1);
    expect(more(`bootstrap_nodes{state="healthy"}`)).toBe(1);
    expect(more(`bootstrap_node_phases{phase="node-ready",state="done"}`)).toBe(2);
    expect(more(`bootstrap_node_phases{phase="addons",state="failed"}`)).toBe(1);
    const connections = ["idle", "busy"].map((state) =>
        after.get(`bootstrap_database_connections{state="${state}"}`),
    );
    expect(connections.reduce((sum = 0, one) => sum + (one ?? NaN), 0)).toBeGreaterThan(0);
    expect(after.get("process_resident_memory_bytes")).toBeGreaterThan(0);
});

test("nothing a caller sends becomes a label", async () => {
    const names = async () =>
        [...(await samples()).keys()].filter((name) => /^bootstrap/.test(name));
    await field.harness.call(`/bootstrap/hostile-role/${newVmId()}`, { token: "hostile-token" });
    await field.harness.call("/hostile-path/1");
    const before = await names();
    for (let turn = 0; turn < 5; turn++) {
        await field.harness.call(`/bootstrap/hostile-role-${turn}/${newVmId()}`, {
            token: "hostile",
        });
        await field.harness.call(`/hostile-path/${turn}`);
        await field.harness.call(`/v1/clusters/${turn + 1}`, { token: `hostile-${turn}` });
    }
    const after = await names();
    // One more route was asked, with one answer: a histogram's buckets, sum and count.
    expect(after.length - before.length).toBeLessThanOrEqual(14);
    expect(after.join("\n")).not.toContain("hostile");
});

test("ready follows the database, health does not", async () => {
    expect([await statusOf("/health"), await statusOf("/ready")]).toEqual([200, 200]);
    await field.postgres.end();
    const without = await field.harness.call("/ready");
    expect(without).toMatchObject({ status: 503, body: { status: "no_database" } });
    expect(await statusOf("/health")).toBe(200);
    await field.postgres.start();
    expect(await statusOf("/ready")).toBe(200);
});

test("a database that does not answer makes no probe wait, and probes take one connection", async () => {
    expect(await statusOf("/ready")).toBe(200);
    await field.postgres.signal("SIGSTOP");
    try {
        const probes = Array.from({ length: 30 }, () => statusOf("/ready"));
        // Long before the connection would be given up, which takes the operating system minutes.
        const statuses = await Promise.race([Promise.all(probes), sleep(60_000, "still waiting")]);
        expect(statuses).toEqual(probes.map(() => 503));
        expect(await statusOf("/health")).toBe(200);
    } finally {
        await field.postgres.signal("SIGCONT");
    }
    // The question that hung is answered now.
    await expect(untilReady()).resolves.toBe(200);
});

async function untilReady(): Promise<number> {
    for (let turn = 0; turn < 100; turn++) {
        if ((await statusOf("/ready")) === 200) {
            return 200;
        }
        await sleep(100);
    }
    return statusOf("/ready");
}

test("a server that drains is not ready, and says so", async () => {
    const other = await field.replica();
    const closing = other.server.close(1500);
    try {
        expect(await other.call("/health")).toMatchObject({ status: 418 });
        expect(await other.call("/ready")).toMatchObject({
            status: 503,
            body: { status: "draining" },
        });
    } finally {
        await closing;
    }
});
