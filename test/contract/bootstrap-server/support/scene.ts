import { manifestOf } from "../../../../bootstrap-server/src/rules/bundle";
import { generationOf } from "../../../../contract/manifest";
import { makeAuthority } from "../../../unit/local-cloud/support/pki";
import { type Harness, newVmId, TestCluster, TestNode, textFiles } from "./harness";

const second = 1000;
const day = 86_400 * second;

/** A phase as a scene tells it: when it started and ended, in seconds of the node's boot. */
type Played = [phase: string, start: number, end?: number, more?: Record<string, unknown>];

const wholeBoot: Played[] = [
    ["userdata", 0, 0.6],
    ["bundle", 0.6, 1.1],
    ["install", 1.1, 6.2],
    ["etcd", 6.3, 9.1],
    ["kubelet", 6.4, 8.4],
    ["apiserver", 9.2, 14.8],
    ["node-ready", 8.5, 19.4],
    ["addons", 14.9, 31.2],
];

/** Reports phases of a boot that began `bootAge` seconds ago. */
async function play(node: TestNode, bootAge: number, phases: readonly Played[]): Promise<void> {
    const boot = Date.now() - bootAge * second;
    const at = (seconds: number) => new Date(boot + seconds * second).toISOString();
    for (const [phase, start, end, more = {}] of phases) {
        await node.report(phase, end === undefined ? "running" : "done", {
            started_at: at(start),
            ...(end === undefined ? {} : { finished_at: at(end) }),
            ...more,
        });
    }
}

/** Puts a bundle with certificates among its files: the API server's, and one in a kubeconfig. */
async function putBundle(node: TestNode, address: string, daysLeft: number): Promise<void> {
    const { cluster, slot } = node;
    const pem = async (days: number) => {
        const notAfter = new Date(Date.now() + days * day + 3600 * second);
        return (await makeAuthority(slot, { notAfter })).certificate;
    };
    const client = Buffer.from(await pem(364)).toString("base64");
    const files = textFiles({
        "/etc/node": slot,
        "/etc/kubernetes/pki/apiserver.crt": await pem(daysLeft),
        "/etc/kubernetes/pki/ca.crt": await pem(3649),
        "/etc/kubernetes/admin.conf": `    client-certificate-data: ${client}\n`,
    });
    const manifest = manifestOf({ ...textFiles({ "/etc/role": cluster.roleText }), ...files });
    const generation = generationOf(manifest);
    const body = { vm_id: node.vmId, address, files, manifest, generation };
    const { status } = await cluster.putBundle(slot, body);
    if (status !== 200) {
        throw new Error(`bundle of ${slot}: status ${status}`);
    }
}

/** Binds a new VM to each slot, at addresses of one network. */
async function bindAll(
    cluster: TestCluster,
    slots: readonly string[],
    network: string,
    days = 364,
) {
    const nodes = slots.map((slot) => new TestNode(cluster, slot, newVmId()));
    for (const [index, node] of nodes.entries()) {
        await putBundle(node, `${network}.${11 + index}`, days);
    }
    return nodes;
}

async function clusterOf(harness: Harness, key: string, slots: readonly string[]) {
    const cluster = await TestCluster.register(harness, key);
    for (const slot of slots) {
        await cluster.putSlot(slot);
    }
    await cluster.putPoolFiles("cp", [...slots]);
    return cluster;
}

const slots = ["cp-1", "cp-2", "cp-3"];

/** A cluster that runs well, and applies a change to one node at a time. */
export async function runningCluster(harness: Harness, key: string, daysLeft = 364) {
    const cluster = await clusterOf(harness, key, slots);
    const nodes = await bindAll(cluster, slots, "10.0.0", daysLeft);
    for (const [index, node] of nodes.entries()) {
        const { body } = await node.firstContact();
        const boot = wholeBoot.map(([phase, start, end = 0]): Played => {
            const late = index * 0.7;
            return [phase, start + (start > 1 ? late : 0), end + late];
        });
        await play(node, 7200, boot);
        await node.applied(body.generation);
    }
    return { cluster, nodes };
}

/** Gives a running cluster new files: its first node takes them, the others wait for it. */
export async function startRollout(cluster: TestCluster, nodes: readonly TestNode[]) {
    await cluster.putPoolFiles("cp", slots, "role 2");
    for (const [index, node] of nodes.entries()) {
        await putBundle(node, `10.0.0.${11 + index}`, 364);
    }
    await nodes[0]?.bundle();
}

/** The end of a log as a node sends it. */
export const failedLog = [
    "install: kubelet v1.35.2: downloading",
    "install: kubelet v1.35.2: 58.1 MB, checksum ok",
    "install: containerd 2.2.1: downloading",
    "curl: (23) Failure writing output to destination, passed 16384 returned 4080",
    "install: /opt/exk8s/downloads: no space left on device",
];

/** A cluster that boots: one node ahead, one behind, one that failed. */
export async function bootingCluster(harness: Harness, key: string) {
    const cluster = await clusterOf(harness, key, slots);
    const nodes = await bindAll(cluster, slots, "10.0.1");
    const [ahead, behind, failed] = nodes;
    if (!ahead || !behind || !failed) {
        throw new Error("three nodes were bound");
    }
    for (const node of nodes) {
        await node.firstContact();
    }
    await play(ahead, 17.4, [...wholeBoot.slice(0, 6), ["node-ready", 8.5]]);
    await play(behind, 12.1, [...wholeBoot.slice(0, 3), ["etcd", 6.3], ["kubelet", 6.4, 8.4]]);
    await play(failed, 14.2, wholeBoot.slice(0, 2));
    await play(failed, 14.2, [
        [
            "install",
            1.1,
            5.3,
            { state: "failed", message: "containerd could not be unpacked", log_tail: failedLog },
        ],
    ]);
    return { cluster, nodes };
}

/** A cluster whose VM was made and was not heard of yet. */
export async function expectedCluster(harness: Harness, key: string) {
    const cluster = await clusterOf(harness, key, ["cp-1"]);
    await bindAll(cluster, ["cp-1"], "10.0.2");
}
