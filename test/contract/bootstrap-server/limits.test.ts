import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect, type ConnectionOptions } from "node:tls";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { bodyLimits, connectionLimits } from "../../../bootstrap-server/src/limits";
import { type ExcloudStandIn, startExcloudStandIn } from "./support/excloud-stand-in";
import { Harness, newVmId, TestCluster } from "./support/harness";

const limits = { perAddress: 5, perVm: 8 };
let excloud: ExcloudStandIn;
let harness: Harness;
beforeAll(async () => {
    excloud = await startExcloudStandIn();
    harness = await new Harness(excloud, { firstContactLimits: limits }).start();
});
afterAll(async () => {
    await harness.stop();
    await excloud.stop();
});

/** Answers of so many first contacts for a VM that nobody knows, from one address. */
async function strangers(vmId: number, from: string, count: number) {
    const answers = [];
    for (let n = 0; n < count; n++) {
        answers.push(await harness.call(`/bootstrap/control-plane/${vmId}`, { from }));
    }
    return answers;
}

test("an address over its limit gets one answer, whichever VM it asks for", async () => {
    const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1"]);
    const from = "127.0.1.1";
    const statuses = (await strangers(newVmId(), from, 6)).map(({ status }) => status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    const answers = [
        ...(await strangers(newVmId(), from, 1)),
        await nodes[0]?.firstContact({ from }),
        await harness.call("/bootstrap/nonsense/0", { from }),
    ];
    for (const answer of answers) {
        expect(answer).toMatchObject({
            status: 429,
            body: {
                error: {
                    code: "bootstrap.rate.exceeded",
                    message: answers[0]?.body.error.message,
                },
            },
        });
        expect(Number(answer?.headers["retry-after"])).toBeGreaterThan(0);
    }
    expect((await nodes[0]?.firstContact())?.status).toBe(200);
    expect((await cluster.operator("", { from })).status).toBe(200);
});

test("a VM over its limit is refused from everywhere, the others are not", async () => {
    const { nodes } = await TestCluster.complete(harness, ["cp-1"]);
    const vmId = nodes[0]?.vmId ?? 0;
    await strangers(vmId, "127.0.2.1", 4);
    await strangers(vmId, "127.0.2.2", 4);
    expect((await strangers(vmId, "127.0.2.3", 1))[0]?.status).toBe(429);
    expect((await strangers(newVmId(), "127.0.2.3", 1))[0]?.status).toBe(401);
});

test("bodies and headers end where their route's limit is", async () => {
    const post = (bytes: number) =>
        harness.operator("/v1/clusters", { method: "POST", body: { key: "k".repeat(bytes) } });
    expect((await post(bodyLimits.small)).status).toBe(413);
    expect((await post(bodyLimits.small / 2)).status).toBe(400);
    const headers = { "x-filler": "x".repeat(connectionLimits.maxHeaderSize) };
    const answer = await harness.rawStatus("/health", headers);
    expect(answer).toBe(431);
});

function tls(options: ConnectionOptions = {}) {
    const { hostname, port } = new URL(harness.server.url);
    const { caPem: ca } = harness.server;
    return connect({ host: hostname, port: Number(port), ca, ...options });
}

test("TLS below 1.2 is refused", async () => {
    const socket = tls({ maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "ALL:@SECLEVEL=0" });
    const [error] = (await once(socket, "error")) as [Error];
    expect(error.message).toMatch(/alert|protocol version/i);
});

test("who sends slowly is cut off: in the handshake, the headers", async () => {
    const { hostname, port } = new URL(harness.server.url);
    const silent = connectTcp(Number(port), hostname);
    const slow = tls();
    let answer = "";
    slow.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    await once(slow, "secureConnect");
    slow.write("GET /health HTTP/1.1\r\nHost: x\r\n");
    const drip = setInterval(() => slow.write("x: y\r\n"), 1000);
    slow.on("error", () => undefined);
    silent.on("error", () => undefined);
    try {
        await Promise.all([once(slow, "close"), once(silent, "close")]);
    } finally {
        clearInterval(drip);
    }
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect((await harness.call("/health")).status).toBe(200);
});
