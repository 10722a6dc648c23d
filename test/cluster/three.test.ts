import type { X509Certificate } from "node:crypto";
import * as tls from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import "./timeout";
import { clientPod, entryPolicy, webService } from "./support/pods";
import { eventually, RealCluster } from "./support/real-cluster";
import { Writer } from "./support/writer";
import { defaultVersions } from "../../templates/versions";
import { formerKubernetes } from "../../tools/binaries/catalog";

const slots = ["cp-1", "cp-2", "cp-3"] as const;

interface Pods {
    items: {
        metadata: { name: string };
        spec: { nodeName: string };
        status: { podIP: string; containerStatuses: { restartCount: number }[] };
    }[];
}

let cluster: RealCluster;
const othersOf = (slot: string) => slots.filter((other) => other !== slot);

beforeAll(async () => {
    // Of the minor before, so that there is one to upgrade to.
    cluster = await RealCluster.open({ controlPlaneCount: 3, kubernetesVersion: formerKubernetes });
    await cluster.up();
    await cluster.kubeconfig();
});
afterAll(() => cluster.close());

/** Every node is Ready, etcd has three healthy voting members, and DNS answers on the node. */
async function mustBeWhole(seconds: number): Promise<void> {
    await eventually(seconds, async () => {
        const list = await cluster.onNode(slots[0], "kubectl", "get", "nodes", "--no-headers");
        const states = list
            .trim()
            .split("\n")
            .map((line) => line.split(/ +/)[1]);
        expect(states).toEqual(["Ready", "Ready", "Ready"]);
    });
    await eventually(seconds, async () => {
        for (const slot of slots) {
            const { stdout } = await etcdctl(slot, "endpoint", "health");
            expect(stdout).toContain("is healthy");
        }
        const members = (await etcdctl(slots[0], "member", "list")).stdout.trim().split("\n");
        expect(
            members.map((line) =>
                line
                    .split(", ")
                    .slice(1, 2)
                    .concat(line.split(", ")[5] ?? ""),
            ),
        ).toEqual(slots.map(() => ["started", "false"]));
    });
    await eventually(seconds, async () => {
        for (const slot of slots) expect(await lookUp(slot)).toBe("10.96.0.1");
    });
}

const etcdctl = (slot: string, ...command: string[]) =>
    cluster.tryOnNode(
        slot,
        ...["etcdctl", "--endpoints=https://127.0.0.1:2379", "--cacert=/etc/exk8s/pki/etcd-ca.pem"],
        ...["--cert=/etc/exk8s/pki/apiserver-etcd-client.pem"],
        ...["--key=/etc/exk8s/pki/apiserver-etcd-client-key.pem", ...command],
    );

/** Asks the cluster's DNS at its Service address from a node. */
const lookUp = async (slot: string): Promise<string> =>
    (
        await cluster.onNode(
            slot,
            ...["dig", "+short", "+tries=1", "+time=2", "@10.96.0.10"],
            "kubernetes.default.svc.cluster.local",
        )
    ).trim();

const processStart = async (slot: string, program: string): Promise<string> =>
    cluster.onNode(slot, "bash", "-c", `stat -c %Y /proc/$(pgrep -o '^${program}')`);

const kubeProxy = ["daemonset/kube-proxy", "--namespace", "kube-system"] as const;

/** Versions of everything of Kubernetes that runs on the nodes, or is to run on them by kube-proxy's daemon set. */
async function versions(): Promise<Set<string>> {
    const found = new Set<string>();
    for (const slot of slots) {
        const address = await cluster.address(slot);
        const ask = ["--server", `https://${address}:6443`, "get", "--raw", "/version"];
        found.add((JSON.parse(await cluster.kubectl(...ask)) as { gitVersion: string }).gitVersion);
        for (const program of ["kube-controller-manager", "kube-scheduler"]) {
            const version = await cluster.onNode(
                slot,
                ...["bash", "-c", `/proc/$(pgrep -of '^${program} ')/exe --version`],
            );
            found.add(version.trim().split(" ").at(-1) ?? "");
        }
        for (const command of ["kubelet --version", "kubectl version --client"]) {
            const said = await cluster.onNode(slot, ...command.split(" "));
            found.add(/v\d+\.\d+\.\d+/.exec(said)?.[0] ?? said);
        }
    }
    const nodes = await cluster.get<{
        items: { status: { nodeInfo: { kubeletVersion: string } } }[];
    }>("nodes");
    for (const { status } of nodes.items) found.add(status.nodeInfo.kubeletVersion);
    const image = "jsonpath={.spec.template.spec.containers[0].image}";
    const proxy = await cluster.kubectl("get", ...kubeProxy, "--output", image);
    return found.add(proxy.split(":").at(-1) ?? "");
}

describe("three control planes", () => {
    test("are one cluster, with an etcd member each", async () => {
        await mustBeWhole(60);
    });

    test("pods reach each other across nodes by VXLAN, and a NetworkPolicy blocks there too", async () => {
        await cluster.apply(webService("web", 3));
        await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=3m");
        const pods = await cluster.get<Pods>("pods", "--selector", "app=web");
        const away = pods.items.find(({ spec }) => spec.nodeName.startsWith("cp-2."));
        const home = pods.items.find(({ spec }) => spec.nodeName.startsWith("cp-1."));
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
        for (let i = 0; i < 10; i++) expect(await ask()).toBe(away?.metadata.name);
        expect((await sent()) - before).toBeGreaterThanOrEqual(40);

        await cluster.apply(entryPolicy("web"));
        await eventually(60, () => expect(ask()).rejects.toThrow(/timed out/));
        await cluster.kubectl("label", "pod", "client", "may-enter=yes");
        await eventually(120, async () => expect(await ask()).toBe(away?.metadata.name));
        await cluster.kubectl("delete", "networkpolicy", "enter-web");
    });

    test("the next minor of Kubernetes reaches all nodes; no write is lost, and pods stay", async () => {
        expect(await versions()).toEqual(new Set([formerKubernetes]));
        const web = () => cluster.get<Pods>("pods", "--selector", "app=web");
        const before = await web();
        const writer = new Writer(cluster, "cp-2");
        await cluster.bench.stack.set("cluster.kubernetesVersion", defaultVersions.kubernetes);
        await cluster.up();
        expect(await versions()).toEqual(new Set([defaultVersions.kubernetes]));
        const { written, lost } = await writer.stop();
        expect(lost).toEqual([]);
        expect(written).toBeGreaterThan(5);
        const restarts = ({ items }: Pods) =>
            items.map(({ metadata, status }) => [
                metadata.name,
                status.containerStatuses.map(({ restartCount }) => restartCount),
            ]);
        expect(restarts(await web())).toEqual(restarts(before));
        await cluster.kubectl("rollout", "status", ...kubeProxy, "--timeout=3m");
        await mustBeWhole(60);
    });

    test.each(slots)("%s is cut off: the others take writes, and it comes back", async (slot) => {
        const [other] = othersOf(slot);
        const writer = new Writer(cluster, other ?? "");
        await sleep(3_000);
        await cluster.cable(slot, "down");
        await sleep(20_000);
        await eventually(20, async () => expect(await lookUp(other ?? "")).toBe("10.96.0.1"));
        await cluster.cable(slot, "up");
        const { written, lost } = await writer.stop();
        expect(lost).toEqual([]);
        expect(written).toBeGreaterThan(5);
        await mustBeWhole(120);
    });

    test.each(slots)(
        "%s loses its power: the others take writes, and it comes back",
        async (slot) => {
            const [other] = othersOf(slot);
            const vm = await cluster.vmId(slot);
            const writer = new Writer(cluster, other ?? "");
            await sleep(3_000);
            process.kill(await cluster.pid(slot), "SIGKILL");
            // The end of a machine waits for its disk, on a host that others write to as well.
            await eventually(180, async () => {
                expect((await cluster.bench.cloud("vmGet", { vm_id: vm })).state).toBe("STOPPED");
            });
            await sleep(10_000);
            await eventually(20, async () => expect(await lookUp(other ?? "")).toBe("10.96.0.1"));
            await cluster.bench.cloud("vmStart", { vm_id: vm });
            const { written, lost } = await writer.stop();
            expect(lost).toEqual([]);
            expect(written).toBeGreaterThan(5);
            await mustBeWhole(180);
        },
    );

    test("the leader of etcd changes when it is stopped", async () => {
        const leader = async (slot: string) => {
            const { stdout } = await etcdctl(slot, "endpoint", "status", "--write-out=json");
            const [status] = JSON.parse(stdout) as {
                Status: { leader: number; header: { member_id: number } };
            }[];
            return { leader: status?.Status.leader, own: status?.Status.header.member_id };
        };
        const states = await Promise.all(
            slots.map(async (slot) => ({ slot, ...(await leader(slot)) })),
        );
        const first = states.find(({ leader: id, own }) => id === own);
        expect(first).toBeDefined();
        const [other = ""] = othersOf(first?.slot ?? "");
        await cluster.onNode(first?.slot ?? "", "systemctl", "stop", "etcd");
        await eventually(30, async () => expect((await leader(other)).leader).not.toBe(first?.own));
        await cluster.onNode(first?.slot ?? "", "systemctl", "start", "etcd");
        await mustBeWhole(120);
    });

    test("all nodes reboot at once, and the cluster comes back by itself", async () => {
        const vms = await Promise.all(slots.map((slot) => cluster.vmId(slot)));
        await Promise.all(vms.map((vm_id) => cluster.bench.cloud("vmRestart", { vm_id })));
        await eventually(120, async () => {
            for (const vm of vms) {
                expect((await cluster.bench.cloud("vmGet", { vm_id: vm })).state).toBe("RUNNING");
            }
        });
        await mustBeWhole(240);
    });

    test("a changed flag reaches all API servers, one at a time, and no write is lost", async () => {
        const before = await Promise.all(slots.map((slot) => processStart(slot, "kube-apiserver")));
        const writer = new Writer(cluster, "cp-2");
        await cluster.bench.stack.set('cluster.apiServerExtraArgs["goaway-chance"]', "0.001");
        await cluster.up();
        for (const slot of slots) {
            const line = await cluster.onNode(slot, "pgrep", "-af", "^kube-apiserver");
            expect(line).toContain("--goaway-chance=0.001");
        }
        const { written, lost } = await writer.stop();
        expect(lost).toEqual([]);
        expect(written).toBeGreaterThan(5);
        const after = await Promise.all(slots.map((slot) => processStart(slot, "kube-apiserver")));
        // One at a time: no two of them started within the time that one takes to become ready.
        const starts = after.map(Number).sort((a, b) => a - b);
        for (const [i, start] of after.entries()) expect(start).not.toBe(before[i]);
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
        await mustBeWhole(120);
    });

    test.each(["cp-3", "cp-1"])(
        "%s is replaced on a fresh disk; the others never stop",
        async (slot) => {
            const old = await cluster.vmId(slot);
            const others = othersOf(slot);
            const starts = () =>
                Promise.all(others.map((other) => processStart(other, "kube-apiserver")));
            const before = await starts();
            const writer = new Writer(cluster, others[0] ?? "");
            await cluster.bench.stack.set("cluster.controlPlaneImageId", 2);
            await cluster.bench.stack.set("cluster.replaceNodes[0]", slot);
            await cluster.up();
            expect(await cluster.vmId(slot)).not.toBe(old);
            const { written, lost } = await writer.stop();
            expect(lost).toEqual([]);
            expect(written).toBeGreaterThan(5);
            expect(await starts()).toEqual(before);
            await mustBeWhole(180);
        },
    );

    test("destroy leaves nothing", async () => {
        await cluster.bench.pulumi(["destroy", "--yes", "--skip-preview"]);
        expect(Object.values(await cluster.bench.inventory()).flat()).toEqual([]);
    });
});

/** The certificate that a node's API server shows. */
function servedCertificate(host: string): Promise<X509Certificate> {
    return new Promise((resolve, reject) => {
        const socket = tls.connect({ host, port: 6443, rejectUnauthorized: false }, () => {
            const certificate = socket.getPeerX509Certificate();
            socket.destroy();
            if (certificate === undefined) reject(new Error(`${host} shows no certificate`));
            else resolve(certificate);
        });
        socket.on("error", reject);
    });
}
