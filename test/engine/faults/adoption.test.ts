import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { outputsOf, setArguments } from "../../../tools/playground/playground";
import { vmRequest } from "../../support/vm-request";
import { type Bench, openBench, typeOf } from "../cluster/harness";
import { stackTrace, up } from "./support";

// Things that exist already become a cluster's own: a security group and a DNS name made by hand, and a VM
// that the state has lost. What is not as it should be is refused. In the end the cluster is protected.

let bench: Bench;
let clusterName: string;
let groupId: number;
let vmId: number;

const record = { zone_name: "k8s.excloud.co.in", type: "A" as const, ttl: 60 };
const rests = () => bench.pulumi(["preview", "--expect-no-changes"]);
const vmByHand = (more: object = {}) =>
    bench.cloud("vmCreate", vmRequest({ name: "by-hand", ...more }));

/** What a preview with these arguments, which must fail, prints. */
async function refusal(...settings: string[]): Promise<string> {
    await setArguments(bench.stack, settings);
    const { code, stdout, stderr } = await bench.stack.capture(["preview"]);
    expect(code).not.toBe(0);
    expect(stdout + stderr).not.toMatch(stackTrace);
    return stdout + stderr;
}

beforeAll(async () => {
    bench = await openBench();
    await setArguments(bench.stack, ["controlPlaneCount=1"]);
    // The name by which the cluster will go: a registration is adopted by the same key.
    const key = "organization/quickstart/playground/quickstart";
    clusterName = (await bench.bootstrap("registerCluster", { key })).name;
    groupId = (await bench.cloud("securityGroupCreate", { name: "by-hand" })).id;
    await bench.cloud("recordCreate", { ...record, name: clusterName, value: "127.9.9.9" });
});
afterAll(() => bench?.close());

describe("before anything is made", () => {
    test("a security group that something uses is refused", async () => {
        const { vm_id } = await vmByHand({ security_group_ids: [groupId] });
        const text = await refusal(`adopt.securityGroupId=${groupId}`);
        expect(text).toContain(`security group ${groupId} (by-hand) is used by interface`);
        await bench.cloud("vmTerminate", { vm_id, delete_root_volume: true });
    });

    test("a VM of another network and image is refused", async () => {
        const { vm_id } = await vmByHand({ subnet_id: 2, image_id: 2 });
        const text = await refusal(
            "adopt.securityGroupId=",
            `adopt.controlPlaneVmIds.cp-1=${vm_id}`,
        );
        expect(text).toMatch(
            new RegExp(
                `VM ${vm_id} cannot be cp-1: subnet 2, not 1; image ubuntu-22\\S+, not ubuntu-24`,
            ),
        );
        await bench.cloud("vmTerminate", { vm_id, delete_root_volume: true });
    });
});

test("a security group and the DNS name, made by hand, become the cluster's", async () => {
    await setArguments(bench.stack, [
        "adopt.controlPlaneVmIds.cp-1=",
        `adopt.securityGroupId=${groupId}`,
    ]);
    const { code, text } = await up(bench.stack);
    expect([code, text]).toEqual([0, expect.stringContaining("cp-1  ready")]);
    expect(text).toMatch(/DNS name \S+ is taken over, in place of 127\.9\.9\.9/);
    expect((await outputsOf(bench.stack))["dnsConfigured"]).toBe(true);
    const records = await bench.cloud("recordList", record);
    expect(records.map(({ value }) => value)).not.toContain("127.9.9.9");
    const rules = await bench.cloud("ruleList", { security_group_id: groupId });
    expect(rules.map(({ description }) => description)).toContain("all within the subnet");
    const { securityGroups } = await bench.inventory();
    expect(securityGroups).toEqual([expect.objectContaining({ id: groupId, name: "by-hand" })]);
    await rests();
});

test("a VM that the state has lost is taken over by its id, and goes on running", async () => {
    const vm = (await bench.resources()).find((resource) => typeOf(resource) === "VirtualMachine");
    vmId = Number(vm!.id);
    await bench.pulumi(["state", "delete", vm!.urn, "--target-dependents", "--yes"]);
    await bench.cloud("vmRename", { vm_id: vmId, name: "renamed-by-hand" });
    await setArguments(bench.stack, [`adopt.controlPlaneVmIds.cp-1=${vmId}`]);

    const text = await bench.pulumi(["up", "--yes", "--skip-preview"]);
    expect(text).toContain(`VM renamed-by-hand (${vmId}) is adopted as ${clusterName}-cp-1`);
    const { vms } = await bench.inventory();
    expect(vms).toEqual([
        expect.objectContaining({ vm_id: vmId, name: `${clusterName}-cp-1`, state: "RUNNING" }),
    ]);
    await rests();
});

test("without the arguments, what was taken over stays the cluster's own", async () => {
    await setArguments(bench.stack, ["adopt.controlPlaneVmIds.cp-1=", "adopt.securityGroupId="]);
    await rests();
});

describe("deletion protection", () => {
    test("refuses to destroy the cluster, and touches nothing", async () => {
        await setArguments(bench.stack, ["deletionProtection=true"]);
        await bench.pulumi(["up", "--yes", "--skip-preview"]);
        const everything = async () => [
            await bench.inventory(),
            (await bench.resources()).map(({ urn }) => urn).sort(),
        ];
        const before = await everything();
        const { code, stdout, stderr } = await bench.stack.capture([
            "destroy",
            "--yes",
            "--skip-preview",
        ]);
        expect(code).not.toBe(0);
        expect(stdout + stderr).toMatch(/cluster \d+ is under deletion protection: nothing was/);
        expect(stdout + stderr).not.toMatch(stackTrace);
        expect(await everything()).toEqual(before);
    });

    test("ends with the argument", async () => {
        await setArguments(bench.stack, ["deletionProtection="]);
        await bench.pulumi(["up", "--yes", "--skip-preview"]);
        await bench.pulumi(["destroy", "--yes", "--skip-preview"]);
        expect(Object.values(await bench.inventory()).flat()).toEqual([]);
    });
});
