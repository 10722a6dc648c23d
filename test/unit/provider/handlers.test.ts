import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { LocalCloud } from "excloud-local";

import { adapt } from "../../../provider/adapter";
import type { Context } from "../../../provider/context";
import { isUnknown, UnfinishedError, unknownValue } from "../../../provider/handler";
import { clusterRegistration } from "../../../provider/resources/cluster-registration";
import { dnsRecord } from "../../../provider/resources/dns-record";
import { nodeAddress } from "../../../provider/resources/node-address";
import { nodeSlot } from "../../../provider/resources/node-slot";
import { roleFiles } from "../../../provider/resources/role-files";
import { securityGroup } from "../../../provider/resources/security-group";
import { virtualMachine } from "../../../provider/resources/virtual-machine/handler";
import type {
    Replacement,
    VirtualMachineInputs,
} from "../../../provider/resources/virtual-machine/inputs";
import { machine } from "../../support/machine";
import { type HandlerBench, openHandlerBench } from "./support/bench";

// The handlers against the local cloud, in this process. Only the bootstrap server's answers are played
// here; its own tests run the real one.

let bench: HandlerBench;
let cloud: LocalCloud;
let context: Context;
let lines: string[];

beforeEach(async () => {
    bench = await openHandlerBench();
    ({ cloud, context, lines } = bench);
});
afterEach(() => bench.close());

const vms = () => cloud.inventory().vms;

describe("VirtualMachine", () => {
    test("create waits until it runs, delete until nothing is left", async () => {
        const { id } = await virtualMachine.create(machine(), context);
        expect(cloud.call("vmGet", { vm_id: id }).state).toBe("RUNNING");
        await virtualMachine.delete(id, { ...machine(), hasRun: true }, context);
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
        bench.answers["getVmBinding"] = { cluster_id: 43, slot: "cp-1" };
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
        await virtualMachine.update(id, { ...slow, hasRun: false }, machine(), context);
        expect(cloud.call("vmGet", { vm_id: id }).state).toBe("RUNNING");
    });

    test("read tells gone from there, and shows drift in the inputs", async () => {
        const { id } = await virtualMachine.create(machine(), context);
        const state = { ...machine(), hasRun: true };
        expect(await virtualMachine.read(id, state, context)).toMatchObject({
            inputs: machine(),
        });
        cloud.terminateVm(Number(id));
        expect(await virtualMachine.read(id, state, context)).toBeUndefined();
    });

    test("a stopped VM shows as drift, and is started", async () => {
        const { id, outputs } = await virtualMachine.create(machine(), context);
        cloud.call("vmStop", { vm_id: Number(id) });
        const state = { ...machine(), ...outputs };
        const found = await virtualMachine.read(id, state, context);
        expect(found?.inputs?.state).toBe("STOPPED");
        await virtualMachine.update(id, { ...state, ...found!.inputs }, machine(), context);
        expect(cloud.call("vmGet", { vm_id: id }).state).toBe("RUNNING");
    });

    test("a VM that is gone when it is updated is kept as gone, and replaced next", async () => {
        const { id, outputs } = await virtualMachine.create(machine(), context);
        cloud.terminateVm(Number(id));
        const state = { ...machine(), ...outputs };
        const thrown: unknown = await virtualMachine
            .update(id, state, machine(), context)
            .catch((error: unknown) => error);
        expect(String(thrown)).toMatch(/Next: run `pulumi up` again to have it replaced/);
        const { existing } = thrown as UnfinishedError;
        const kept = { ...state, ...existing.outputs };
        const diff = await adapt(virtualMachine).diff(id, kept, { ...machine(), state: "RUNNING" });
        expect(diff.replaces).toEqual(["state"]);
    });

    test.each([
        ["never ran holds nothing: it is replaced", false, ["state"]],
        ["ran is not replaced without being asked", true, []],
    ])("a VM in ERROR that %s", async (_, hasRun, replaces) => {
        const state = { ...machine(), state: "ERROR", hasRun };
        const diff = await adapt(virtualMachine).diff("1", state, {
            ...machine(),
            state: "RUNNING",
        });
        expect(diff).toMatchObject({ changes: true, replaces });
    });

    test("a VM made by hand is taken over under the slot's name, in its groups", async () => {
        const byHand = await virtualMachine.create(machine({ name: "by-hand" }), context);
        const adoptVmId = Number(byHand.id);
        const group = cloud.call("securityGroupCreate", { name: "a" }).id;
        const wanted = machine({ adoptVmId, securityGroupIds: [group] });
        const { id } = await virtualMachine.create(wanted, context);
        expect(id).toBe(byHand.id);
        const vm = cloud.call("vmGet", { vm_id: id });
        expect(vm.name).toBe(wanted.name);
        expect(vm.interfaces?.[0]?.security_group_ids).toEqual([group]);
        expect(vms()).toHaveLength(1);
    });

    test.each([
        ["subnet", { subnetId: 2 }, /with subnet 1, not 2/],
        ["zone", { zoneId: 2 }, /with zone 1, not 2/],
    ])("a VM to adopt of another %s is refused", async (_, other, message) => {
        const { id } = await virtualMachine.create(machine({ name: "by-hand" }), context);
        const adopt = virtualMachine.create(machine({ adoptVmId: Number(id), ...other }), context);
        await expect(adopt).rejects.toThrow(message);
        expect(cloud.call("vmGet", { vm_id: id }).name).toBe("by-hand");
    });

    test("a VM to adopt that is another cluster's is refused", async () => {
        const { id } = await virtualMachine.create(machine({ name: "by-hand" }), context);
        bench.answers["getVmBinding"] = { cluster_id: 43, slot: "cp-1" };
        const adopt = virtualMachine.create(machine({ adoptVmId: Number(id) }), context);
        await expect(adopt).rejects.toThrow("belongs to cp-1 of cluster 43");
    });

    test("a VM under deletion protection says so instead of being waited for", async () => {
        const { id, outputs } = await virtualMachine.create(machine(), context);
        cloud.call("vmRename", { vm_id: Number(id), delete_protection: true });
        const deleted = virtualMachine.delete(id, { ...machine(), ...outputs }, context);
        await expect(deleted).rejects.toThrow("protected against deletion in the cloud");
    });

    test("delete goes on where an earlier one was cut off", async () => {
        const { id, outputs } = await virtualMachine.create(machine(), context);
        cloud.terminateVm(Number(id));
        await virtualMachine.delete(id, { ...machine(), ...outputs }, context);
        expect(cloud.call("vmGet", { vm_id: id }).state).toBe("TERMINATED");
    });

    test("delete takes gone as done", async () => {
        await virtualMachine.delete("999999", { ...machine(), hasRun: true }, context);
    });

    test("security groups change in place", async () => {
        const a = cloud.call("securityGroupCreate", { name: "a" }).id;
        const b = cloud.call("securityGroupCreate", { name: "b" }).id;
        const before = machine({ securityGroupIds: [a] });
        const { id, outputs } = await virtualMachine.create(before, context);
        const after = machine({ securityGroupIds: [b] });
        await virtualMachine.update(id, { ...before, ...outputs }, after, context);
        expect(cloud.call("vmGet", { vm_id: id }).interfaces?.[0]?.security_group_ids).toEqual([b]);
    });
});

describe("VirtualMachine.check", () => {
    const statusOf = (nodes: Record<string, boolean>) => ({
        nodes: Object.entries(nodes).map(([slot, healthy]) => ({ slot, healthy })),
    });
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
        bench.answers["getStatus"] = statusOf({ "cp-1": false, "cp-2": true, "cp-3": true });
        const { failures } = await check({ imageId: 2, replacement: "allow" }, { imageId: 1 });
        expect(failures).toEqual([]);
    });

    test.each([
        ["not healthy", { "cp-1": true, "cp-2": true, "cp-3": false }, /as cp-3 is not healthy/],
        ["not known", undefined, /as the others' health is not known/],
    ])("refuses it while another one's health is %s, unless told to", async (_, nodes, reason) => {
        if (nodes !== undefined) {
            bench.answers["getStatus"] = statusOf(nodes);
        }
        const allowed = { replacement: "allow" as const };
        expect((await check(allowed, {})).failures).toEqual([
            { property: "replacement", reason: expect.stringMatching(reason) },
        ]);
        expect((await check({ ...allowed, replaceWithoutQuorum: true }, {})).failures).toEqual([]);
        // It was replaced in the last run; nothing is to happen in this one.
        expect((await check(allowed, allowed)).failures).toEqual([]);
    });

    test("refuses it while somebody else's VM has the node's name", async () => {
        bench.answers["getStatus"] = statusOf({ "cp-1": true });
        const wanted = machine({ replacement: "allow" });
        await virtualMachine.create(wanted, context);
        const other = await virtualMachine.create(machine({ name: "exk8s-5-2a-cp-2" }), context);
        expect((await check(wanted, {})).failures).toEqual([]);
        cloud.call("vmRename", { vm_id: Number(other.id), name: wanted.name });
        expect((await check(wanted, {})).failures).toEqual([
            { property: "replacement", reason: expect.stringContaining("several VMs named") },
        ]);
        cloud.terminateVm(Number(other.id));
        expect((await check(wanted, {})).failures).toEqual([]);
    });

    test("says of a VM to adopt what it is not", async () => {
        const { id } = await virtualMachine.create(machine({ imageId: 2 }), context);
        const { failures } = await check({ adoptVmId: Number(id) });
        expect(failures).toEqual([
            {
                property: "adoptVmId",
                reason: expect.stringMatching(/cannot be cp-1: image .+, not/),
            },
        ]);
        expect((await check({ adoptVmId: 999_999 })).failures).toMatchObject([
            { reason: expect.stringContaining("no such id") },
        ]);
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
        pool: "cp",
        role: "control-plane" as const,
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

test("a registration that the server does not know is gone, unless VMs of its name live", async () => {
    const state = {
        bootstrap: { operatorUrl: "https://bootstrap.example" },
        key: "o/p/s/n",
        clusterId: 42,
        clusterName: "exk8s-5-2a",
        orgId: 5,
        verifierMode: "selfHosted" as const,
    };
    expect(await clusterRegistration.read("42", state, context)).toBeUndefined();
    await virtualMachine.create(machine(), context);
    await expect(clusterRegistration.read("42", state, context)).rejects.toThrow(
        "whose VMs exk8s-5-2a-cp-1 are there",
    );
});

describe("what an interrupted creation left, when no up followed", () => {
    const slot = {
        bootstrap: { operatorUrl: "https://bootstrap.example" },
        clusterId: 42,
        slot: "cp-1",
        role: "control-plane" as const,
        nodeName: "cp-1.cluster-42.internal",
        vmName: machine().name,
        timeouts: { delete: 20 },
        slotSecret: "s",
    };
    const registration = {
        bootstrap: slot.bootstrap,
        key: "o/p/s/n",
        clusterId: 42,
        clusterName: "exk8s-5-2a",
        orgId: 5,
        verifierMode: "selfHosted" as const,
    };

    test("a VM that never filled the slot goes with the slot", async () => {
        await virtualMachine.create(machine(), context);
        bench.answers["getSlot"] = { bound_vm_ids: [] };
        await nodeSlot.delete("42/cp-1", slot, context);
        expect(vms()).toEqual([]);
        expect(lines.join()).toContain("was left by an interrupted run: terminated");
    });

    test("a VM that filled the slot stays, and so does any when the server is not there", async () => {
        const { id } = await virtualMachine.create(machine(), context);
        bench.answers["getSlot"] = { bound_vm_ids: [Number(id)] };
        await nodeSlot.delete("42/cp-1", slot, context);
        delete bench.answers["getSlot"];
        await nodeSlot.delete("42/cp-1", slot, context);
        expect(vms()).toHaveLength(1);
        expect(
            lines.filter((line) => line.includes(`(${id}), which is not in the state, stays`)),
        ).toHaveLength(2);
    });

    test("a group of the cluster's name goes with the registration, unless it is in use", async () => {
        const { id } = cloud.call("securityGroupCreate", { name: "exk8s-5-2a" });
        const vm = await virtualMachine.create(machine({ securityGroupIds: [id] }), context);
        await clusterRegistration.delete("42", registration, context);
        expect(lines.join()).toContain(`(${id}), which is not in the state, is in use and stays`);
        await virtualMachine.delete(vm.id, { ...machine(), hasRun: true }, context);
        await clusterRegistration.delete("42", registration, context);
        expect(Object.values(cloud.inventory()).flat()).toEqual([]);
    });

    test("records of the cluster's name go with the registration", async () => {
        const of = { zone_name: "k8s.excloud.co.in", type: "A" as const, ttl: 60 };
        cloud.call("recordCreate", { ...of, name: "exk8s-5-2a", value: "127.9.9.9" });
        cloud.call("recordCreate", { ...of, name: "exk8s-5-2b", value: "127.9.9.8" });
        const inZone = { ...registration, dnsZone: of.zone_name };
        await clusterRegistration.delete("42", inZone, context);
        expect(cloud.inventory().records.map(({ name }) => name)).toEqual(["exk8s-5-2b"]);
        expect(lines.join()).toContain(
            "DNS record exk8s-5-2a.k8s.excloud.co.in (127.9.9.9), which is not in the state",
        );
    });

    test("a destroy ends although DNS cannot be reached; it says what may have stayed", async () => {
        cloud.faults.add({ operation: "recordList", kind: "status-500", times: Infinity });
        const inZone = { ...registration, dnsZone: "k8s.excloud.co.in" };
        await clusterRegistration.delete("42", inZone, context);
        expect(lines.join()).toContain("exk8s-5-2a.k8s.excloud.co.in may have records left");
        cloud.faults.clear();
        await clusterRegistration.delete("42", { ...inZone, dnsZone: "not.ours" }, context);
        expect(lines.join()).not.toContain("not.ours");
    });
});

describe("SecurityGroup", () => {
    const group = (cidr = "0.0.0.0/0") => ({
        name: "exk8s-5-2a",
        description: "nodes",
        subnetId: 1,
        rules: {
            api: { direction: "ingress" as const, protocol: "TCPv4", portRange: "6443", cidr },
        },
        timeouts: { delete: 20 },
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

    test("a group made by hand is taken over with its name; its rules become the wanted ones", async () => {
        const byHand = cloud.call("securityGroupCreate", { name: "by-hand", description: "mine" });
        const wanted = { ...group(), adoptSecurityGroupId: byHand.id };
        const { inputs, failures } = await securityGroup.check!(wanted, undefined, context);
        expect(failures).toEqual([]);
        const { id } = await securityGroup.create(inputs, context);
        expect(id).toBe(String(byHand.id));
        expect(rulesOf(id)).toHaveLength(1);
        // Nothing is to do from now on, whether the argument stays or goes.
        const state = { ...inputs, ...(await securityGroup.read(id, inputs, context))!.inputs };
        for (const next of [wanted, group()]) {
            const checked = await securityGroup.check!(next, inputs, context);
            const diff = await adapt(securityGroup).diff(id, state, { ...checked.inputs });
            expect(diff.changes).toBe(false);
        }
    });

    test("a group that something uses, or that is not there, is not taken over", async () => {
        const { id } = cloud.call("securityGroupCreate", { name: "by-hand" });
        await virtualMachine.create(machine({ securityGroupIds: [id] }), context);
        const used = { ...group(), adoptSecurityGroupId: id };
        expect((await securityGroup.check!(used, undefined, context)).failures).toEqual([
            { property: "adoptSecurityGroupId", reason: expect.stringContaining("is used by") },
        ]);
        await expect(securityGroup.create(used, context)).rejects.toThrow("is used by");
        const absent = { ...group(), adoptSecurityGroupId: 999_999 };
        await expect(securityGroup.create(absent, context)).rejects.toThrow("999999");
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
        expect(outputs).toEqual({ dnsConfigured: true, reason: "", isReached: true });
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
        const gone = {
            ...record(["127.0.0.1"], "gone.example"),
            dnsConfigured: true,
            reason: "",
            isReached: true,
        };
        await dnsRecord.delete("x", gone, context);
        await dnsRecord.create(record(["127.0.0.1"]), context);
        const partly = {
            ...record(["127.0.0.1"]),
            dnsConfigured: false,
            reason: "half",
            isReached: false,
        };
        await dnsRecord.delete("x", partly, context);
        expect(values()).toEqual([]);
    });

    test("takes over what the name has, and says so", async () => {
        const left = { ...record([]), zone_name: "k8s.excloud.co.in", value: "127.9.9.9" };
        const { zone_name, type, name, value, ttl } = left;
        cloud.call("recordCreate", { zone_name, type, name, value, ttl });
        const { outputs } = await dnsRecord.create(record(["127.0.0.1"]), context);
        expect(outputs.dnsConfigured).toBe(true);
        expect(lines).toContain(
            "DNS name exk8s-5-2a.k8s.excloud.co.in is taken over, in place of 127.9.9.9",
        );
        expect(values()).toEqual(["127.0.0.1"]);
    });

    test("a name that was ours stays ours when a change of it fails", async () => {
        const before = record(["127.0.0.1"]);
        const { id, outputs } = await dnsRecord.create(before, context);
        const inputs = record(["127.0.0.2"]);
        cloud.faults.add({ operation: "recordDelete", kind: "status-403" });
        const failed = await dnsRecord.update(id, { ...before, ...outputs }, inputs, context);
        const state = { ...inputs, ...failed.outputs };
        expect(state).toMatchObject({ dnsConfigured: false, isReached: true });
        expect((await dnsRecord.read(id, state, context))?.outputs).toEqual(failed.outputs);

        const mended = await dnsRecord.update(id, state, inputs, context);
        expect(mended.outputs).toEqual({ dnsConfigured: true, reason: "", isReached: true });
        expect(values()).toEqual(["127.0.0.2"]);
    });

    test("what is left of a name that was ours is deleted with it", async () => {
        const { id } = await dnsRecord.create(record(["127.0.0.1"]), context);
        const state = { dnsConfigured: false, reason: "half", isReached: true };
        await dnsRecord.delete(id, { ...record(["127.0.0.2"]), ...state }, context);
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
