import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startLocalCloud, type LocalCloud } from "excloud-local";

import { makeContext, type BootstrapApi, type Context } from "../../../provider/context";
import { ApiError } from "../../../provider/errors";
import { isUnknown, UnfinishedError, unknownValue } from "../../../provider/handler";
import { adapt } from "../../../provider/adapter";
import { clusterRegistration } from "../../../provider/handlers/cluster-registration";
import { dnsRecord } from "../../../provider/handlers/dns-record";
import { nodeAddress } from "../../../provider/handlers/node-address";
import { securityGroup } from "../../../provider/handlers/security-group";
import { roleFiles } from "../../../provider/handlers/role-files";
import {
    virtualMachine,
    type Replacement,
    type VirtualMachineInputs,
} from "../../../provider/handlers/virtual-machine";
import { machine } from "../../support/machine";

// The handlers against the local cloud, in this process. Only the bootstrap server's answer about a
// VM's binding is played here; its own tests run the real one.

let dir: string;
let cloud: LocalCloud;
let context: Context;
let lines: string[];
let binding: { cluster_id: number; slot: string } | undefined;

beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "handlers-"));
    cloud = await startLocalCloud({
        dir,
        nodes: "none",
        delays: { creating: 20, starting: 20, terminating: 20 },
    });
    const settings: Record<string, string> = {
        "excloud:apiKey": cloud.apiKey,
        "excloud:computeBaseUrl": cloud.computeUrl,
        "excloud:dnsBaseUrl": cloud.dnsUrl,
        "excloud:iamBaseUrl": cloud.iamUrl,
    };
    lines = [];
    binding = undefined;
    context = {
        ...makeContext((key) => settings[key]),
        log: (line) => lines.push(line),
        bootstrap: () =>
            (() =>
                binding
                    ? Promise.resolve(binding)
                    : Promise.reject(new ApiError("not bound", 404, "x"))) as BootstrapApi,
    };
});

afterEach(async () => {
    await cloud.close();
    rmSync(dir, { recursive: true, force: true });
});

const vms = () => cloud.inventory().vms;

describe("VirtualMachine", () => {
    test("create waits until it runs, delete until nothing is left", async () => {
        const { id } = await virtualMachine.create(machine(), context);
        expect(cloud.call("vmGet", { vm_id: id }).state).toBe("RUNNING");
        await virtualMachine.delete(id, machine(), context);
        expect(cloud.call("vmGet", { vm_id: id }).state).toBe("TERMINATED");
        expect(Object.values(cloud.inventory()).flat()).toEqual([]);
    });

    test("create adopts what an interrupted create of the same slot left", async () => {
        const first = await virtualMachine.create(machine(), context);
        const second = await virtualMachine.create(machine(), context);
        expect(second.id).toBe(first.id);
        expect(vms()).toHaveLength(1);
        expect(lines.join()).toContain("adopted");
    });

    test("a VM that is going away is not adopted", async () => {
        const first = await virtualMachine.create(machine(), context);
        cloud.terminateVm(Number(first.id));
        const second = await virtualMachine.create(machine(), context);
        expect(second.id).not.toBe(first.id);
    });

    test.each([
        ["image", { imageId: 2 }, /image .+, not .+/],
        ["type", { instanceType: "t1a.small" }, "instance type t1a.small, not t1a.medium"],
    ])("a namesake of another %s is refused, not adopted", async (_, other, message) => {
        await virtualMachine.create(machine(other), context);
        await expect(virtualMachine.create(machine(), context)).rejects.toThrow(message);
    });

    test("a namesake that belongs to another registration is refused", async () => {
        await virtualMachine.create(machine(), context);
        binding = { cluster_id: 43, slot: "cp-1" };
        await expect(virtualMachine.create(machine(), context)).rejects.toThrow("of cluster 43");
    });

    test("a VM that does not run in time is kept by its id", async () => {
        const slow = machine({ timeouts: { create: 0, delete: 20 } });
        const thrown: unknown = await virtualMachine
            .create(slow, context)
            .catch((error: unknown) => error);
        expect(thrown).toBeInstanceOf(UnfinishedError);
        const { id } = (thrown as UnfinishedError).existing;
        expect(vms().map(({ vm_id }) => String(vm_id))).toEqual([id]);
        // The next up resumes it.
        await virtualMachine.update(id, slow, machine(), context);
        expect(cloud.call("vmGet", { vm_id: id }).state).toBe("RUNNING");
    });

    test("read tells gone from there, and shows drift in the inputs", async () => {
        const { id } = await virtualMachine.create(machine(), context);
        expect(await virtualMachine.read(id, machine(), context)).toMatchObject({
            inputs: machine(),
        });
        cloud.terminateVm(Number(id));
        expect(await virtualMachine.read(id, machine(), context)).toBeUndefined();
    });

    test("delete takes gone as done", async () => {
        await virtualMachine.delete("999999", machine(), context);
    });

    test("security groups change in place", async () => {
        const a = cloud.call("securityGroupCreate", { name: "a" }).id;
        const b = cloud.call("securityGroupCreate", { name: "b" }).id;
        const before = machine({ securityGroupIds: [a] });
        const { id } = await virtualMachine.create(before, context);
        await virtualMachine.update(id, before, machine({ securityGroupIds: [b] }), context);
        expect(cloud.call("vmGet", { vm_id: id }).interfaces?.[0]?.security_group_ids).toEqual([b]);
    });
});

describe("VirtualMachine.check", () => {
    const check = (news: Partial<VirtualMachineInputs>, old?: Partial<VirtualMachineInputs>) =>
        virtualMachine.check!(machine(news), old && machine(old), context);

    test("accepts what the cloud has", async () => {
        expect((await check({})).failures).toEqual([]);
    });

    test("lists everything that the cloud would refuse, before anything is made", async () => {
        const { failures } = await check({
            subnetId: 99,
            imageId: 99,
            instanceType: "huge",
            userData: "x".repeat(17_000),
        });
        expect(failures.map(({ property }) => property)).toEqual([
            "subnetId",
            "imageId",
            "instanceType",
            "userData",
        ]);
        expect(vms()).toEqual([]);
    });

    test("says nothing about what is not known yet", async () => {
        const { failures } = await check({ subnetId: unknownValue as unknown as number });
        expect(failures).toEqual([]);
    });

    test("refuses a replacement that nobody asked for, and names the way", async () => {
        const { failures } = await check({ imageId: 2 }, { imageId: 1 });
        expect(failures).toEqual([
            { property: "imageId", reason: expect.stringContaining('replaceNodes: ["cp-1"]') },
        ]);
    });

    test("allows it where asked for", async () => {
        const { failures } = await check({ imageId: 2, replacement: "allow" }, { imageId: 1 });
        expect(failures).toEqual([]);
    });

    test("keeps the old value while another node is replaced", async () => {
        const { inputs, failures } = await check(
            { imageId: 2, replacement: "defer" },
            { imageId: 1 },
        );
        expect(failures).toEqual([]);
        expect(inputs.imageId).toBe(1);
    });

    test("a loopback URL for nodes is fine only where nodes live on loopback", async () => {
        const local = await check({ nodeUrl: "https://127.0.0.1:8443" });
        expect(local.failures).toEqual([]);
    });
});

test("a network of the cluster that overlaps the subnet is refused", async () => {
    const clusterNetworks = { serviceCidr: "10.96.0.0/12", podCidr: "127.64.0.0/16" };
    const { failures } = await virtualMachine.check!(
        machine({ clusterNetworks }),
        undefined,
        context,
    );
    expect(failures).toEqual([
        { property: "clusterNetworks", reason: expect.stringContaining("podCidr 127.64.0.0/16") },
    ]);
});

describe("replaceNodes", () => {
    const diff = (old: Replacement, now: Replacement) =>
        adapt(virtualMachine).diff(
            "1",
            { ...machine({ replacement: old }) },
            { ...machine({ replacement: now }) },
        );

    test("replaces a node when it is listed, once", async () => {
        expect(await diff("refuse", "allow")).toMatchObject({ replaces: ["replacement"] });
        expect(await diff("defer", "allow")).toMatchObject({ replaces: ["replacement"] });
        expect(await diff("allow", "allow")).toMatchObject({ changes: false });
    });

    test("is ready for the next time once the node is off the list", async () => {
        expect(await diff("allow", "refuse")).toMatchObject({ changes: true, replaces: [] });
        expect(await diff("refuse", "defer")).toMatchObject({ changes: false });
    });
});

test("control planes cannot be removed: etcd would lose its quorum", async () => {
    const files = { files: {}, secretFiles: {}, secretDigests: {}, manifest: {} };
    const inputs = (slots: string[]) => ({
        bootstrap: { operatorUrl: "https://bootstrap.example" },
        clusterId: 42,
        role: "control-plane",
        slots,
        ...files,
    });
    const all = inputs(["cp-1", "cp-2", "cp-3"]);
    const { failures } = await roleFiles.check!(inputs(["cp-1"]), all, context);
    expect(failures).toEqual([
        { property: "slots", reason: expect.stringMatching(/cp-2, cp-3 .*controlPlaneCount to 3/) },
    ]);
    expect((await roleFiles.check!(all, inputs(["cp-1"]), context)).failures).toEqual([]);
});

test("a renamed stack keeps its cluster, and a VM is never renamed by a replacement", async () => {
    const state = { bootstrap: { operatorUrl: "u" }, key: "o/p/old/n" };
    const diff = await adapt(clusterRegistration).diff("42", state, { ...state, key: "o/p/new/n" });
    expect(diff.changes).toBe(false);
    const { failures } = await virtualMachine.check!(
        machine({ name: "exk8s-5-2b-cp-1" }),
        machine(),
        context,
    );
    expect(failures.map(({ property }) => property)).toEqual(["name"]);
});

describe("SecurityGroup", () => {
    const group = (cidr = "0.0.0.0/0") => ({
        name: "exk8s-5-2a",
        description: "nodes",
        subnetId: 1,
        rules: {
            api: { direction: "ingress" as const, protocol: "TCPv4", portRange: "6443", cidr },
        },
    });
    const rulesOf = (id: string) => cloud.call("ruleList", { security_group_id: Number(id) });

    test("the subnet's range takes the place of its name", async () => {
        const { inputs } = await securityGroup.check!(group("subnet"), undefined, context);
        expect(inputs.rules["api"]?.cidr).toMatch(/^127\.64\.\d+\.0\/24$/);
    });

    test("an unknown subnet is a fault of the input", async () => {
        const wrong = { ...group("subnet"), subnetId: 99 };
        const { failures } = await securityGroup.check!(wrong, undefined, context);
        expect(failures).toEqual([
            { property: "subnetId", reason: expect.stringContaining("no subnet has this id") },
        ]);
    });

    test("create adopts a leftover and makes its rules the wanted ones", async () => {
        const first = await securityGroup.create(group("10.0.0.0/8"), context);
        const second = await securityGroup.create(group(), context);
        expect(second.id).toBe(first.id);
        expect(rulesOf(first.id).map(({ cidr }) => cidr)).toEqual(["0.0.0.0/0"]);
    });

    test("a group whose rules could not be made is kept by its id", async () => {
        const wrong = group("not-a-range");
        const thrown: unknown = await securityGroup
            .create(wrong, context)
            .catch((error: unknown) => error);
        expect(thrown).toBeInstanceOf(UnfinishedError);
        const { id } = (thrown as UnfinishedError).existing;
        await securityGroup.update(id, wrong, group(), context);
        expect(rulesOf(id)).toHaveLength(1);
    });

    test("read shows a removed and a foreign rule", async () => {
        const { id } = await securityGroup.create(group(), context);
        cloud.deleteRule(rulesOf(id)[0]!.id);
        cloud.call("ruleCreate", {
            security_group_id: Number(id),
            is_ingress: true,
            protocol: "TCPv4",
            port_range: "22",
            cidr: "0.0.0.0/0",
        });
        const found = await securityGroup.read(id, group(), context);
        expect(Object.keys(found!.inputs!.rules)).toEqual([
            expect.stringMatching(/^unmanaged-\d+$/),
        ]);
        await securityGroup.update(id, found!.inputs!, group(), context);
        expect(rulesOf(id).map(({ port_range }) => port_range)).toEqual(["6443"]);
    });

    test("delete waits for the VM that still holds it", async () => {
        const { id } = await securityGroup.create(group(), context);
        const vm = await virtualMachine.create(
            machine({ securityGroupIds: [Number(id)] }),
            context,
        );
        cloud.terminateVm(Number(vm.id));
        await securityGroup.delete(id, group(), context);
        expect(Object.values(cloud.inventory()).flat()).toEqual([]);
    });
});

describe("DnsRecord", () => {
    const record = (values: string[], zoneName = "k8s.excloud.co.in") => ({
        zoneName,
        type: "A" as const,
        name: "exk8s-5-2a",
        values,
        ttl: 60,
    });
    const values = () =>
        cloud
            .call("recordList", { zone_name: "k8s.excloud.co.in" })
            .map(({ value }) => value)
            .sort();

    test("keeps exactly the wanted addresses", async () => {
        const { outputs, id } = await dnsRecord.create(record(["127.0.0.1", "127.0.0.2"]), context);
        expect(outputs).toEqual({ dnsConfigured: true, reason: "" });
        const state = { ...record(["127.0.0.1", "127.0.0.2"]), ...outputs };
        await dnsRecord.update(id, state, record(["127.0.0.2", "127.0.0.3"]), context);
        expect(values()).toEqual(["127.0.0.2", "127.0.0.3"]);
        await dnsRecord.delete(id, state, context);
        expect(values()).toEqual([]);
    });

    test("a zone that is not ours never fails: it says why, and is tried again", async () => {
        const { outputs } = await dnsRecord.create(record(["127.0.0.1"], "other.example"), context);
        expect(outputs.dnsConfigured).toBe(false);
        expect(outputs.reason).toContain("/dns/record");
        expect(lines.join()).toContain("warning");
        const state = { ...record(["127.0.0.1"]), ...outputs };
        expect(dnsRecord.isUnfinished!(state)).toBe(true);
    });

    test("delete ends although the zone is gone, and leaves no part of a record", async () => {
        const gone = { ...record(["127.0.0.1"], "gone.example"), dnsConfigured: true, reason: "" };
        await dnsRecord.delete("x", gone, context);
        await dnsRecord.create(record(["127.0.0.1"]), context);
        const partly = { ...record(["127.0.0.1"]), dnsConfigured: false, reason: "half" };
        await dnsRecord.delete("x", partly, context);
        expect(values()).toEqual([]);
    });

    test("read shows a changed address", async () => {
        const { outputs, id } = await dnsRecord.create(record(["127.0.0.1"]), context);
        const state = { ...record(["127.0.0.1"]), ...outputs };
        const old = { zone_name: state.zoneName, type: state.type, name: state.name };
        cloud.call("recordCreate", { ...old, value: "127.9.9.9", ttl: 60 });
        expect((await dnsRecord.read(id, state, context))?.inputs?.values).toEqual([
            "127.0.0.1",
            "127.9.9.9",
        ]);
        cloud.deleteRecord({ ...old, value: "127.0.0.1" });
        cloud.deleteRecord({ ...old, value: "127.9.9.9" });
        expect(await dnsRecord.read(id, state, context)).toBeUndefined();
    });
});

test("NodeAddress gives what the cloud says, and is gone with its VM", async () => {
    const { id } = await virtualMachine.create(machine(), context);
    const { outputs } = await nodeAddress.create({ vmId: id }, context);
    expect(outputs.privateIpv4).toMatch(/^127\.64\./);
    expect(outputs.publicIpv4).toBe("");
    expect(await nodeAddress.read("999999", { vmId: "999999", ...outputs }, context)).toBe(
        undefined,
    );
});

test("isUnknown looks into maps and lists", () => {
    expect(isUnknown({ a: [1, { b: unknownValue }] })).toBe(true);
    expect(isUnknown({ a: [1, { b: "x" }] })).toBe(false);
});
