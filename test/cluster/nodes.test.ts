import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { openPlayground } from "../../tools/playground/playground";
import { machine } from "../support/machine";
import { eventually, ports, RealCluster } from "../support/real-nodes/real-cluster";

let cluster: RealCluster;
let namespace: string;

beforeAll(async () => {
    cluster = await RealCluster.open({});
    namespace = cluster.bench.services.real?.network.namespace ?? "";
});
afterAll(() => cluster.bench.close());

const state = async (vm_id: number) => (await cluster.bench.cloud("vmGet", { vm_id })).state;
const hasState = (vm_id: number, wanted: string) =>
    // The end of a machine waits for its disk, on a host that others write to as well.
    eventually(180, async () => expect(await state(vm_id)).toBe(wanted));

/** A VM whose user data counts how often it ran. */
async function create(slot: string): Promise<number> {
    const { name, zoneId, projectId, subnetId, imageId, instanceType } = machine({
        name: `vm-${slot}`,
    });
    const { vm_id } = await cluster.bench.cloud("vmCreate", {
        name,
        zone_id: zoneId,
        project_id: projectId,
        subnet_id: subnetId,
        image_id: imageId,
        instance_type: instanceType,
        allocate_public_ipv4: false,
        user_data: [
            "#!/bin/bash",
            "echo ran >>/var/user-data-runs",
            "curl -fsS http://imdsapi.excloud.in/token >/var/token",
            "",
        ].join("\n"),
    });
    await hasState(vm_id, "RUNNING");
    return vm_id;
}

const destroy = async (vm_id: number) => {
    await cluster.bench.cloud("vmTerminate", { vm_id, delete_root_volume: true });
    await hasState(vm_id, "TERMINATED");
};

/** Everything of a VM that the kernel or the disk still holds. */
function leftOf(vm_id: number): string[] {
    const node = `${namespace}-${vm_id}`;
    const folder = join(cluster.bench.folder.cloud, "nodes", String(vm_id));
    const links = execFileSync("ip", ["-n", namespace, "-o", "link"], { encoding: "utf8" });
    const inNode = (pid: string) => {
        try {
            return readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(`/${node}`);
        } catch {
            return false;
        }
    };
    return [
        ...readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && inNode(entry)),
        ...readFileSync("/proc/mounts", "utf8")
            .split("\n")
            .filter((line) => line.includes(node)),
        ...links.split("\n").filter((line) => line.includes(`vm${vm_id}@`)),
        ...execFileSync("find", ["/sys/fs/cgroup", "-type", "d", "-name", node], {
            encoding: "utf8",
        })
            .split("\n")
            .filter(Boolean),
        ...[`/run/netns/${node}`, folder].filter((file) => existsSync(file)),
        ...execFileSync("losetup", ["--all"], { encoding: "utf8" })
            .split("\n")
            .filter((line) => line.includes(`${folder}/disk.img`)),
    ];
}

describe("a real node", () => {
    test("runs its user data once, whatever happens to it later, and keeps its disk", async () => {
        const vm = await create("cp-1");
        const runs = () => cluster.onNode("cp-1", "cat", "/var/user-data-runs");
        await eventually(30, async () => {
            expect(await cluster.onNode("cp-1", "cat", "/var/token")).toMatch(/^imds_/);
        });
        expect(await cluster.onNode("cp-1", "systemctl", "is-system-running")).toBe("running\n");
        const first = await cluster.pid("cp-1");

        await cluster.bench.cloud("vmRestart", { vm_id: vm });
        await hasState(vm, "RUNNING");
        expect(await cluster.pid("cp-1")).not.toBe(first);
        expect(await runs()).toBe("ran\n");

        await cluster.bench.cloud("vmStop", { vm_id: vm });
        await hasState(vm, "STOPPED");
        await expect(cluster.pid("cp-1")).rejects.toThrow("is not on");
        await cluster.bench.cloud("vmStart", { vm_id: vm });
        await hasState(vm, "RUNNING");

        // From within: as `reboot` and `poweroff` do on a VM.
        const second = await cluster.pid("cp-1");
        await cluster.tryOnNode("cp-1", "systemctl", "reboot");
        await eventually(60, async () => expect(await cluster.pid("cp-1")).not.toBe(second));
        await eventually(30, async () => expect(await runs()).toBe("ran\n"));
        await cluster.tryOnNode("cp-1", "systemctl", "poweroff");
        await hasState(vm, "STOPPED");
        await destroy(vm);
    });

    test("that was terminated leaves nothing", async () => {
        const vm = await create("cp-1");
        expect(leftOf(vm).length).toBeGreaterThan(5);
        await destroy(vm);
        await eventually(5, () => Promise.resolve(expect(leftOf(vm)).toEqual([])));
    });

    test("cannot write what belongs to the whole machine", async () => {
        const vm = await create("cp-1");
        for (const [name, value] of [
            ["vm.swappiness", "1"],
            ["kernel.threads-max", "99999"],
        ] as const) {
            const written = await cluster.tryOnNode("cp-1", "sysctl", "-w", `${name}=${value}`);
            expect(written.code).not.toBe(0);
        }
        // It may think that it did.
        const before = readFileSync("/proc/sys/kernel/panic", "utf8");
        await cluster.tryOnNode("cp-1", "sysctl", "-w", "kernel.panic=77");
        expect(readFileSync("/proc/sys/kernel/panic", "utf8")).toBe(before);
        await destroy(vm);
    });

    test("dies with its cloud, and is there again when the cloud is", async () => {
        const vm = await create("cp-1");
        const pid = await cluster.pid("cp-1");
        const { folder } = cluster.bench;
        for (const service of ["server", "cloud"]) {
            const ready = JSON.parse(readFileSync(folder.readyFile(service), "utf8")) as {
                pid: number;
            };
            process.kill(ready.pid, "SIGKILL");
        }
        await eventually(20, () => Promise.resolve(expect(existsSync(`/proc/${pid}`)).toBe(false)));
        await openPlayground(folder, { ports });
        await hasState(vm, "RUNNING");
        await eventually(30, async () => {
            expect(await cluster.onNode("cp-1", "cat", "/var/user-data-runs")).toBe("ran\n");
        });
        await destroy(vm);
        await eventually(5, () => Promise.resolve(expect(leftOf(vm)).toEqual([])));
    });
});
