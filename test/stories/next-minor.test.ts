import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { defaultVersions } from "../../nodes/versions";
import { formerKubernetes } from "../../tools/binaries/catalog";
import { podsOf } from "../support/real-nodes/pods";
import { Story } from "../support/real-nodes/story";
import { slots } from "../support/real-nodes/whole";

let story: Story;

beforeAll(async () => {
    story = await Story.begin({ kubernetesVersion: formerKubernetes }, { former: true });
});
afterAll(() => story?.cluster.close());

const kubeProxy = ["daemonset/kube-proxy", "--namespace", "kube-system"] as const;

/** Versions of everything of Kubernetes that runs on the nodes, or is to run on them by kube-proxy's daemon set. */
async function versions(): Promise<Set<string>> {
    const { cluster } = story;
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
    for (const { status } of nodes.items) {
        found.add(status.nodeInfo.kubeletVersion);
    }
    const image = "jsonpath={.spec.template.spec.containers[0].image}";
    const proxy = await cluster.kubectl("get", ...kubeProxy, "--output", image);
    return found.add(proxy.split(":").at(-1) ?? "");
}

test("the next minor of Kubernetes reaches all nodes; no write is lost, and pods stay", async () => {
    const { cluster } = story;
    expect(await versions()).toEqual(new Set([formerKubernetes]));
    const restarts = async () =>
        (await podsOf(cluster, "web")).map(({ metadata, status }) => [
            metadata.name,
            status.containerStatuses.map(({ restartCount }) => restartCount),
        ]);
    const before = await restarts();
    const { writes } = await story.watched("cp-2", async () => {
        await cluster.bench.stack.set("cluster.kubernetesVersion", defaultVersions.kubernetes);
        await cluster.up();
        expect(await versions()).toEqual(new Set([defaultVersions.kubernetes]));
    });
    expect(writes.failed).toEqual([]);
    expect(await restarts()).toEqual(before);
    await cluster.kubectl("rollout", "status", ...kubeProxy, "--timeout=3m");
    await story.mustHeal(60);
});
