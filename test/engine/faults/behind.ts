import { setTimeout as sleep } from "node:timers/promises";

import { vmRequest } from "../../support/vm-request";
import type { Bench } from "../cluster/harness";

// What somebody does to a cluster of one control plane behind the stack's back, by the cloud's API.

const zone_name = "k8s.excloud.co.in";

/** The cluster's VM: the first of its name. */
async function ownVm({ cloud }: Bench) {
    const [vm] = await cloud("vmList", {});
    return cloud("vmGet", { vm_id: vm!.vm_id });
}

/** The cluster's security group. */
async function ownGroup({ cloud }: Bench) {
    const groups = await cloud("securityGroupList");
    return groups.find(({ name }) => name.startsWith("exk8s-"))!;
}

async function ownRecord({ cloud }: Bench) {
    const [record] = await cloud("recordList", { zone_name });
    return record!;
}

export async function stopVm(bench: Bench): Promise<void> {
    const { vm_id } = await ownVm(bench);
    await bench.cloud("vmStop", { vm_id });
    await untilStateIs(bench, vm_id, "STOPPED");
}

export async function terminateVm(bench: Bench): Promise<void> {
    const { vm_id } = await ownVm(bench);
    await bench.cloud("vmTerminate", { vm_id, delete_root_volume: true });
    await untilStateIs(bench, vm_id, "TERMINATED");
}

async function untilStateIs({ cloud }: Bench, vm_id: number, state: string): Promise<void> {
    while ((await cloud("vmGet", { vm_id })).state !== state) {
        await sleep(50);
    }
}

export async function deleteRecord(bench: Bench): Promise<void> {
    const { ttl: _, ...record } = await ownRecord(bench);
    await bench.cloud("recordDelete", record);
}

export async function editRecord(bench: Bench): Promise<void> {
    const record = await ownRecord(bench);
    await deleteRecord(bench);
    await bench.cloud("recordCreate", { ...record, value: "127.9.9.9" });
}

/** Removes the rule that lets everything out. */
export async function removeRule(bench: Bench): Promise<void> {
    const { id } = await ownGroup(bench);
    const rules = await bench.cloud("ruleList", { security_group_id: id });
    const outwards = rules.find(({ is_ingress }) => !is_ingress)!;
    await bench.cloud("ruleDelete", { security_group_rule_id: outwards.id });
}

export async function addRule(bench: Bench): Promise<void> {
    const { id } = await ownGroup(bench);
    await bench.cloud("ruleCreate", {
        security_group_id: id,
        is_ingress: true,
        protocol: "TCPv4",
        port_range: "22",
        cidr: "0.0.0.0/0",
        description: "somebody's",
    });
}

async function unbindGroup(bench: Bench): Promise<void> {
    const { interfaces } = await ownVm(bench);
    const { id } = await ownGroup(bench);
    const binding = { interface_id: interfaces![0]!.id, security_group_id: id };
    await bench.cloud("bindingDelete", binding);
}

export async function deleteGroup(bench: Bench): Promise<void> {
    await unbindGroup(bench);
    const { id } = await ownGroup(bench);
    await bench.cloud("securityGroupDelete", { security_group_id: id });
}

/** Binds a group of somebody else in place of the cluster's own. */
export async function bindOtherGroup(bench: Bench, security_group_id: number): Promise<void> {
    await unbindGroup(bench);
    const { interfaces } = await ownVm(bench);
    await bench.cloud("bindingCreate", { interface_id: interfaces![0]!.id, security_group_id });
}

/** Makes a VM with the name and the form of the cluster's own. */
export async function makeNamesake(bench: Bench): Promise<number> {
    const { name, instance_type } = await ownVm(bench);
    const { vm_id } = await bench.cloud("vmCreate", vmRequest({ name, instance_type }));
    await untilStateIs(bench, vm_id, "RUNNING");
    return vm_id;
}
