import { expect } from "@jest/globals";

import { eventually, type RealCluster } from "./real-cluster";

/** Slots of a cluster of three. */
export const slots = ["cp-1", "cp-2", "cp-3"] as const;

/** The slots of a cluster of three without one. */
export const othersOf = (slot: string): [string, string] =>
    slots.filter((other) => other !== slot) as string[] as [string, string];

/** Runs etcdctl on a node, at the node's own member. */
export const etcdctl = (cluster: RealCluster, slot: string, ...command: string[]) =>
    cluster.tryOnNode(
        slot,
        ...["etcdctl", "--endpoints=https://127.0.0.1:2379", "--cacert=/etc/exk8s/pki/etcd-ca.pem"],
        ...["--cert=/etc/exk8s/pki/apiserver-etcd-client.pem"],
        ...["--key=/etc/exk8s/pki/apiserver-etcd-client-key.pem", ...command],
    );

/** Asks the cluster's DNS at its Service address from a node; it says `10.96.0.1`. */
export async function lookUp(cluster: RealCluster, slot: string): Promise<string> {
    const dig = ["dig", "+short", "+tries=1", "+time=2", "@10.96.0.10"] as const;
    return (await cluster.onNode(slot, ...dig, "kubernetes.default.svc.cluster.local")).trim();
}

/** Every node is Ready, etcd has three healthy voting members, and DNS answers on each node. */
export async function mustBeWhole(cluster: RealCluster, seconds: number): Promise<void> {
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
            const { stdout } = await etcdctl(cluster, slot, "endpoint", "health");
            expect(stdout).toContain("is healthy");
        }
        const members = (await etcdctl(cluster, slots[0], "member", "list")).stdout;
        const fields = members.trim().split("\n");
        expect(fields.map((line) => line.split(", ")).map((of) => [of[1], of[5]])).toEqual(
            slots.map(() => ["started", "false"]),
        );
    });
    await eventually(seconds, async () => {
        for (const slot of slots) {
            expect(await lookUp(cluster, slot)).toBe("10.96.0.1");
        }
    });
}
