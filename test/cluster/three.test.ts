import type { X509Certificate } from "node:crypto";
import * as tls from "node:tls";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { whileAsking, writer } from "../support/real-nodes/load";
import { clientPod, entryPolicy, podsOf, webService } from "../support/real-nodes/pods";
import { eventually, RealCluster } from "../support/real-nodes/real-cluster";
import { mustBeWhole, slots } from "../support/real-nodes/whole";

let cluster: RealCluster;

beforeAll(async () => {
    cluster = await RealCluster.open({ controlPlaneCount: 3 });
    await cluster.up();
    await cluster.kubeconfig();
});
afterAll(() => cluster?.close());

describe("three control planes", () => {
    test("are one cluster, with an etcd member each", async () => {
        await mustBeWhole(cluster, 60);
    });

    test("pods reach each other across nodes by VXLAN, and a NetworkPolicy blocks there too", async () => {
        await cluster.apply(webService("web", 3));
        await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=3m");
        const pods = await podsOf(cluster, "web");
        const away = pods.find(({ spec }) => spec.nodeName.startsWith("cp-2."));
        const home = pods.find(({ spec }) => spec.nodeName.startsWith("cp-1."));
        expect([away, home]).not.toContain(undefined);
        await cluster.apply(clientPod("client", home?.spec.nodeName));
        await cluster.kubectl("wait", "--for=condition=Ready", "pod/client", "--timeout=2m");
        const ask = () =>
            cluster.kubectl(
                ...(["exec", "client", "--", "curl", "-sS", "--max-time", "3"] as const),
                `http://${away?.status.podIP}:8080/hostname`,
            );
        const sent = async () =>
            Number(
                await cluster.onNode(
                    "cp-1",
                    "cat",
                    "/sys/class/net/cilium_vxlan/statistics/tx_packets",
                ),
            );
        const before = await sent();
        for (let i = 0; i < 10; i++) {
            expect(await ask()).toBe(away?.metadata.name);
        }
        expect((await sent()) - before).toBeGreaterThanOrEqual(40);

        await cluster.apply(entryPolicy("web"));
        await eventually(60, () => expect(ask()).rejects.toThrow(/timed out/));
        await cluster.kubectl("label", "pod", "client", "may-enter=yes");
        await eventually(120, async () => expect(await ask()).toBe(away?.metadata.name));
        await cluster.kubectl("delete", "networkpolicy", "enter-web");
    });

    test("a changed flag reaches all API servers, one at a time, and no write is lost", async () => {
        const before = await Promise.all(
            slots.map((slot) => cluster.processStart(slot, "kube-apiserver")),
        );
        const [writes] = await whileAsking([writer(cluster, "cp-2")], async () => {
            await cluster.bench.stack.set('cluster.apiServerExtraArgs["goaway-chance"]', "0.001");
            await cluster.up();
            for (const slot of slots) {
                const line = await cluster.onNode(slot, "pgrep", "-af", "^kube-apiserver");
                expect(line).toContain("--goaway-chance=0.001");
            }
        });
        expect(writes!.failed).toEqual([]);
        expect(writes!.succeeded).toBeGreaterThan(5);
        const after = await Promise.all(
            slots.map((slot) => cluster.processStart(slot, "kube-apiserver")),
        );
        // One at a time: no two of them started within the time that one takes to become ready.
        const starts = after.map(Number).sort((a, b) => a - b);
        for (const [i, start] of after.entries()) {
            expect(start).not.toBe(before[i]);
        }
        expect(
            Math.min(...starts.slice(1).map((start, i) => start - (starts[i] ?? 0))),
        ).toBeGreaterThanOrEqual(3);
    });

    test("renewed certificates reach the running nodes", async () => {
        const ends = async (slot: string) =>
            new Date((await servedCertificate(await cluster.address(slot))).validTo).getTime();
        const before = await Promise.all(slots.map(ends));
        await cluster.bench.stack.set("cluster.certificates.validityDays", 500);
        await cluster.up();
        const after = await Promise.all(slots.map(ends));
        for (const [i, end] of after.entries()) {
            expect(end - (before[i] ?? 0)).toBeGreaterThan(100 * 86_400_000);
        }
        await cluster.kubeconfig();
        await mustBeWhole(cluster, 120);
    });
});

/** The certificate that a node's API server shows. */
function servedCertificate(host: string): Promise<X509Certificate> {
    return new Promise((resolve, reject) => {
        const socket = tls.connect({ host, port: 6443, rejectUnauthorized: false }, () => {
            const certificate = socket.getPeerX509Certificate();
            socket.destroy();
            if (certificate === undefined) {
                reject(new Error(`${host} shows no certificate`));
            } else {
                resolve(certificate);
            }
        });
        socket.on("error", reject);
    });
}
