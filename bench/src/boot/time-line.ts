import type { NodeApi } from "./milestones";
import type { RunningNode } from "./node";

/** When things happened on a node, in milliseconds since the epoch, by what happened. */
export type TimeLine = Readonly<Record<string, number>>;

/** An entry of the node's journal. */
interface Entry {
    readonly at: number;
    readonly unit: string;
    readonly text: string;
}

/** What in the journal marks a moment. `$1` of the name is the first group of the pattern. */
interface Mark {
    readonly name: string;
    readonly unit: RegExp;
    readonly text: RegExp;
}

const marks: readonly Mark[] = [
    { name: "user data begins", unit: /^excloud-user-data/, text: /^Starting / },
    { name: "bundle is written", unit: /^exk8s-userdata/, text: /^Finished / },
    { name: "phase $1 begins", unit: /^exk8s-/, text: /phase (\S+): started$/ },
    { name: "phase $1 is done", unit: /^exk8s-/, text: /phase (\S+): done$/ },
    { name: "addons are reported", unit: /^exk8s-addons/, text: /^Finished / },
    { name: "node agent has reported", unit: /^exk8s-node-agent\.service/, text: /^Finished / },
    { name: "kubeadm: $1", unit: /^excloud-user-data/, text: /^(\[[a-z-]+\])/ },
    { name: "kubeadm: $1 is healthy", unit: /^excloud-user-data/, text: /(\S+) is healthy after/ },
];

/** Programs whose first start is marked. */
const programs = [
    ...["containerd", "etcd", "kubelet", "haproxy"],
    ...["kube-apiserver", "kube-controller-manager", "kube-scheduler"],
    ...["kube-proxy", "coredns"],
];

/** Leases by which components elect their leader. */
const leases = ["kube-controller-manager", "kube-scheduler"];

/** All that a node tells of its boot; to be called when it is over. */
export async function timeLineOf(node: RunningNode, api: NodeApi): Promise<TimeLine> {
    const started = node.programs();
    const found: Record<string, number> = {};
    for (const entry of await journalOf(node)) {
        for (const [name, at] of marksIn(entry)) {
            found[name] ??= at;
        }
    }
    for (const program of programs) {
        const at = started.get(program);
        if (at !== undefined) {
            found[`${program} starts`] = at;
        }
    }
    for (const name of leases) {
        const lease = (await api.get(
            `/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/${name}`,
        )) as { spec: { acquireTime: string } };
        found[`${name} leads`] = Date.parse(lease.spec.acquireTime);
    }
    return found;
}

function marksIn({ unit, text, at }: Entry): [string, number][] {
    return marks.flatMap((mark): [string, number][] => {
        const match = mark.unit.test(unit) ? mark.text.exec(text) : null;
        return match === null ? [] : [[mark.name.replace("$1", match[1] ?? ""), at]];
    });
}

async function journalOf(node: RunningNode): Promise<Entry[]> {
    const text = await node.run("journalctl", "--output", "json", "--no-pager");
    return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, string>)
        .map((entry) => ({
            at: Number(entry["__REALTIME_TIMESTAMP"]) / 1000,
            // What systemd itself says of a unit, and what the unit says.
            unit: entry["UNIT"] ?? entry["_SYSTEMD_UNIT"] ?? "",
            text: String(entry["MESSAGE"]),
        }));
}
