import { setTimeout as sleep } from "node:timers/promises";

import { clusterSettings, nodeFilesFor } from "../../../dist/nodes";
import type { Playground } from "../../../tools/dist/playground/playground";
import { type Cloud, until } from "./cloud";
import { type CoreDnsOrder, kubeadmUserData } from "./kubeadm-node";
import { type Milestone, NodeApi, watch } from "./milestones";
import type { RunningNode } from "./node";
import { type TimeLine, timeLineOf } from "./time-line";

/** One boot, in seconds since power-on. */
export interface Boot {
    readonly reached: Readonly<Record<Milestone | "all addons ready", number>>;
    readonly timeLine: TimeLine;
}

/** A way to a cluster of one node. */
export interface Contestant {
    readonly name: string;
    /** Boots a node from nothing, waits until all is ready, and removes the node. */
    readonly boot: () => Promise<Boot>;
}

/** The component, by `pulumi up`. All is ready when the node has also reported so. */
export function ours(cloud: Cloud, { stack, bootstrap }: Playground): Contestant {
    const must = async (...args: string[]): Promise<void> => {
        const { code, stdout, stderr } = await stack.capture(args);
        if (code !== 0) {
            throw new Error(
                `pulumi ${args[0]} ended with ${code}:\n${stderr}${stdout.slice(-4000)}`,
            );
        }
    };
    return {
        name: "ours",
        async boot() {
            const up = must("up", "--yes", "--skip-preview");
            // Awaited below; a failure before that must not end the process.
            up.catch(() => undefined);
            const waiting = await cloud.node("-cp-1");
            await until("its bundle", () =>
                bootstrap("getVmBinding", { vm_id: waiting.vmId }).catch(() => undefined),
            );
            await sleep(settleMs);
            const node = await cloud.powerOn("-cp-1", waiting);
            const boot = await observe(node, "/etc/exk8s/kubeconfig/admin.kubeconfig", async () => {
                await up;
            });
            await must("destroy", "--yes", "--skip-preview");
            return boot;
        },
    };
}

/** Time in which what else was under way comes to rest, in milliseconds. */
const settleMs = 3_000;

/** `kubeadm init` on a VM of its own. */
export function kubeadm(cloud: Cloud, { services }: Playground, order: CoreDnsOrder): Contestant {
    return {
        name: `kubeadm, CoreDNS ${order}`,
        async boot() {
            const userData = kubeadmUserData(
                "kubeadm",
                podNetwork(),
                services.real?.clusterArguments["kubeProxyConfiguration"] as object,
                order,
            );
            const vmId = await cloud.createVm("kubeadm", userData);
            const waiting = await cloud.node("kubeadm");
            await sleep(settleMs);
            const node = await cloud.powerOn("kubeadm", waiting);
            const boot = await observe(node, "/etc/kubernetes/super-admin.conf");
            await cloud.terminate(vmId);
            return boot;
        },
    };
}

/** The CNI configuration of our nodes with the same network. */
function podNetwork(): string {
    const settings = clusterSettings({ cni: "bridge" });
    const [file] = nodeFilesFor(settings, "control-plane", "role").filter(({ path }) =>
        path.startsWith("/etc/cni/net.d/"),
    );
    return file?.render({ settings }) ?? "";
}

async function observe(
    node: RunningNode,
    kubeconfig: string,
    end: () => Promise<void> = () => Promise.resolve(),
): Promise<Boot> {
    await until(`${kubeconfig} on the node`, () =>
        Promise.resolve(node.has(kubeconfig) ? true : undefined),
    ).catch(async (error: unknown) => {
        throw new Error(
            `${String(error)}\n${await node.run("journalctl", "-n", "60", "--no-pager")}`,
        );
    });
    const api = new NodeApi(node.read(kubeconfig), node.address);
    try {
        const reached = await watch(api);
        await end();
        const timeLine = await timeLineOf(node, api);
        const reports = Object.entries(timeLine).filter(([name]) => name.endsWith("reported"));
        const last = Math.max(...Object.values(reached), ...reports.map(([, at]) => at));
        const sinceOn = (at: number) => (at - node.poweredOn) / 1000;
        return {
            reached: mapped({ ...reached, "all addons ready": last }, sinceOn),
            timeLine: mapped(timeLine, sinceOn),
        };
    } finally {
        await api.close();
    }
}

function mapped<K extends string>(
    record: Readonly<Record<K, number>>,
    change: (value: number) => number,
): Record<K, number> {
    return Object.fromEntries(
        Object.entries<number>(record).map(([key, value]) => [key, change(value)]),
    ) as Record<K, number>;
}
