import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { defaultVersions, installItems } from "../../nodes";
import { outputsOf } from "../../tools/playground/playground";
import { RealCluster } from "../support/real-nodes/real-cluster";

// An image is baked on a real node, over SSH, by the engine; then a cluster boots of it while nothing can be downloaded.

let cluster: RealCluster;

beforeAll(async () => {
    cluster = await RealCluster.open({ controlPlaneCount: 1 });
    const { folder, stack, services } = cluster.bench;
    const program = join(__dirname, "image-program/index.js");
    writeFileSync(folder.projectFile, `name: quickstart\nruntime: nodejs\nmain: ${program}\n`);
    await stack.setObject("image", {
        baseImageId: 1,
        instanceType: "t1a.medium",
        subnetId: 1,
        allocatePublicIpv4: false,
        sshAllowedCidrs: ["0.0.0.0/0"],
        mirrors: services.real?.mirrors,
        ciliumValues: services.real?.clusterArguments["ciliumValues"],
    });
});
afterAll(() => cluster?.close());

test("the image is baked, and its builder is gone", async () => {
    const started = Date.now();
    await cluster.up();
    console.info(`baked in ${Math.round((Date.now() - started) / 1000)} s`);
    const { imageId } = await outputsOf(cluster.bench.stack);
    const { vms, volumes, snapshots } = await cluster.bench.inventory();
    expect([vms, volumes, snapshots]).toEqual([[], [], [expect.objectContaining({ id: imageId })]]);
});

test("a cluster of it boots while every mirror is down", async () => {
    await cluster.setFaults({ mirror: "down" });
    await cluster.bench.stack.set("withCluster", true);
    const started = Date.now();
    await cluster.up();
    console.info(`a cluster in ${Math.round((Date.now() - started) / 1000)} s`);
    await cluster.kubeconfig();
    expect(await cluster.kubectl("get", "nodes", "--no-headers")).toMatch(/ Ready /);
    for (const workload of ["daemonset/cilium", "daemonset/kube-proxy", "deployment/coredns"]) {
        const waiting = ["rollout", "status", workload, "--timeout=1m"];
        await cluster.kubectl("--namespace", "kube-system", ...waiting);
    }
});

test("every program has its stamp, and nothing was installed at the boot", async () => {
    const stamps = await cluster.onNode("cp-1", "ls", "/var/lib/exk8s/installed");
    expect(stamps.trim().split("\n").sort()).toEqual(
        installItems("control-plane", defaultVersions)
            .map(({ name }) => name)
            .sort(),
    );
    expect(await cluster.onNode("cp-1", "cat", "/var/log/exk8s/install.log")).not.toMatch(
        /installing|^(Get|Fetched|Selecting)/m,
    );
});

test("nothing of the builder's own is on the node", async () => {
    const found = await cluster
        .onNode(
            ...([
                "cp-1",
                "find",
                "/root/.ssh",
                "/run/exk8s-bake",
                "/etc/ssh/sshd_config.d",
            ] as const),
            ...["-type", "f"],
        )
        .catch((error: Error) => error.message);
    expect(found).not.toMatch(/authorized_keys|host_key|exk8s-bake\.conf/);
    const userData = await cluster.onNode("cp-1", "cat", "/var/lib/excloud/user-data");
    expect(userData).not.toContain("OPENSSH PRIVATE KEY");
});
