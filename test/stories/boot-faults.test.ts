import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";

import { defaultVersions } from "../../nodes";
import { eventually, RealCluster } from "../support/real-nodes/real-cluster";

// The pod network matters to none of these; the bridge is the quickest.
const shape = { controlPlaneCount: 1, podNetwork: "bridge" };
const set = (path: string, value: string | number) =>
    cluster.bench.stack.set(`cluster.${path}`, value);

let cluster: RealCluster;

beforeAll(async () => {
    cluster = await RealCluster.open(shape);
});
afterEach(async () => {
    await cluster.setFaults({ imds_delay_ms: 0, mirror: null });
    await cluster.bench.pulumi(["destroy", "--yes", "--skip-preview"]);
});
afterAll(() => cluster?.close());

/** The cluster works: its API answers, its node is Ready and DNS runs. */
async function mustWork(): Promise<void> {
    await cluster.kubeconfig();
    const list = await cluster.kubectl("get", "nodes", "--no-headers");
    expect(list).toMatch(/ Ready /);
    await cluster.kubectl(
        ...[
            "--namespace",
            "kube-system",
            "rollout",
            "status",
            "deployment/coredns",
            "--timeout=1m",
        ],
    );
}

describe("a boot that meets a fault ends Ready", () => {
    test("a slow metadata service, and a DNS zone that is another's", async () => {
        await cluster.setFaults({ imds_delay_ms: 4000 });
        await set("dnsZone", "not-ours.example");
        await cluster.up();
        await mustWork();
        const outputs = await cluster.bench.stack.capture(["stack", "output", "--json"]);
        expect(JSON.parse(outputs.stdout)).toMatchObject({ dnsConfigured: false });
        await cluster.bench.stack.unset("cluster.dnsZone");
    });

    test("a mirror that is down for a while", async () => {
        await cluster.setFaults({ mirror: "down" });
        const up = cluster.up();
        await eventually(90, async () => {
            const { stdout } = await cluster.tryOnNode("cp-1", "cat", "/var/log/exk8s/install.log");
            expect(stdout).toContain("installing kubelet");
        });
        await sleep(15_000);
        await cluster.setFaults({ mirror: null });
        const said = await up;
        // What failed meanwhile was said, with the reason.
        expect(said).toMatch(
            /cp-1 +install +failed: .*(Failed to connect|Could not connect|refused)/i,
        );
        await mustWork();
    });

    test("a bundle that is late", async () => {
        const ready = JSON.parse(
            readFileSync(cluster.bench.folder.readyFile("server"), "utf8"),
        ) as {
            pid: number;
        };
        const up = cluster.up();
        await eventually(60, () => cluster.pid("cp-1"));
        process.kill(ready.pid, "SIGSTOP");
        await sleep(20_000);
        process.kill(ready.pid, "SIGCONT");
        await up;
        await mustWork();
    });
});

describe("a boot that cannot go on says why, and goes on once that is mended", () => {
    test("a program whose checksum is wrong", async () => {
        const kubelet = `/dl.k8s.io/${defaultVersions.kubernetes}/bin/linux/amd64/kubelet`;
        await cluster.setFaults({
            mirror: { path: `${kubelet}.sha256`, content: "0".repeat(64) },
        });
        await set("timeouts.ready", 45);
        const said = await cluster.up(1);
        expect(said).toMatch(/1 of 1 nodes are not ready after 45 s/);
        expect(said).toMatch(/cp-1: install failed/);
        expect(said).toMatch(/\| .*kubelet .* has SHA-256 .* check the mirror/);
        const installed = await cluster.tryOnNode("cp-1", "ls", "/usr/local/bin/kubelet");
        expect(installed.code).not.toBe(0);
        await cluster.setFaults({ mirror: null });
        await set("timeouts.ready", 600);
        await cluster.up();
        await mustWork();
    });

    test("a full disk", async () => {
        await set("timeouts.ready", 45);
        const up = cluster.up(1);
        await eventually(60, () => cluster.pid("cp-1"));
        await cluster.onNode("cp-1", "bash", "-c", fillDisk);
        const said = await up;
        expect(said).toMatch(/1 of 1 nodes are not ready after 45 s/);
        expect(said).toMatch(/the disk has only \d+ MiB left/);
        await cluster.onNode("cp-1", "rm", "/var/filler");
        await set("timeouts.ready", 600);
        await cluster.up();
        await mustWork();
    });
});

/** Leaves no room for the programs, and enough for the bundle. */
const fillDisk =
    "fallocate -l $(( ($(df --output=avail -B1 / | tail -1) - 60 * 1024 * 1024) )) /var/filler";
