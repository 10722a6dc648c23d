import { isDeepStrictEqual } from "node:util";

import type { Vm } from "../api/schemas";
import type { BootstrapServer, Context } from "../context";
import { ApiError, messageOf } from "../errors";
import { UnfinishedError, type Existing, type Handler } from "../handler";
import { unlessGone } from "./forgiving";
import { checkVirtualMachine } from "./virtual-machine-check";
import { findLeftover } from "./virtual-machine-leftover";

/** What to do when a change can only be made by replacing the VM. */
export type Replacement =
    /** Refuse the change, and say how to allow it. */
    | "refuse"
    | "allow"
    /** Keep the old value for now: another node is being replaced. */
    | "defer";

export interface VirtualMachineInputs {
    /** Deterministic: it is how a leftover of an interrupted creation is found again. */
    name: string;
    zoneId: number;
    projectId: number;
    subnetId: number;
    imageId: number;
    instanceType: string;
    allocatePublicIpv4: boolean;
    securityGroupIds: number[];
    sshPubkey: string;
    rootVolumeSizeGib: number;
    /** Secret. Used when the VM is created; a change waits for the next replacement. */
    userData: string;
    /** The slot that the VM fills, and the server at which it is bound. */
    bootstrap: BootstrapServer;
    clusterId: number;
    slot: string;
    /** Where the VM reaches the bootstrap server: checked against its subnet. */
    nodeUrl: string;
    /** Networks of the cluster by name, IPv4: they must not overlap the VM's subnet. */
    clusterNetworks: Record<string, string>;
    replacement: Replacement;
    /** Seconds to wait until it runs, and until it is terminated. */
    timeouts: { create: number; delete: number };
}

/** A VM. Its creation waits until it runs, its deletion until it is terminated. */
export const virtualMachine: Handler<VirtualMachineInputs> = {
    changes: {
        name: "replace",
        zoneId: "replace",
        projectId: "replace",
        subnetId: "replace",
        imageId: "replace",
        instanceType: "replace",
        allocatePublicIpv4: "replace",
        rootVolumeSizeGib: "replace",
        securityGroupIds: "update",
        sshPubkey: "ignore",
        userData: "ignore",
        bootstrap: "ignore",
        clusterId: "ignore",
        slot: "ignore",
        nodeUrl: "ignore",
        clusterNetworks: "ignore",
        replacement: "ignore",
        timeouts: "ignore",
    },

    // To list a node is to have it replaced, once; to take it off the list is to be able to do so again.
    judge: (state, { replacement }) =>
        replacement === "allow"
            ? { replacement: "replace" }
            : { replacement: state.replacement === "allow" ? "update" : "ignore" },

    check: checkVirtualMachine,

    async create(inputs, context) {
        const vm = (await findLeftover(inputs, context)) ?? (await createOnce(inputs, context));
        return finish(String(vm.vm_id), inputs, context);
    },

    async read(id, state, context) {
        const vm = await unlessGone(context.excloud()("vmGet", { vm_id: id }));
        if (vm === undefined || vm.state === "TERMINATED" || vm.state === "TERMINATING") {
            return undefined;
        }
        return { id, inputs: { ...inputsOf(state), ...seen(vm, state) }, outputs: {} };
    },

    async update(id, state, inputs, context) {
        const existing = await finish(id, inputs, context);
        if (!isDeepStrictEqual(state.securityGroupIds, inputs.securityGroupIds)) {
            await bindGroups(id, state.securityGroupIds, inputs.securityGroupIds, context);
        }
        return existing;
    },

    async delete(id, { name, timeouts }, context) {
        const call = context.excloud();
        const isGone = async () => {
            const vm = await unlessGone(call("vmGet", { vm_id: id }));
            return vm === undefined || vm.state === "TERMINATED" ? true : undefined;
        };
        if (await isGone()) {
            return;
        }
        await unlessGone(call("vmTerminate", { vm_id: Number(id), delete_root_volume: true }));
        // Security groups are released only when the VM is TERMINATED, not before.
        if (!(await context.poll(timeouts.delete, isGone))) {
            throw new Error(
                `VM ${name} (${id}) is not terminated after ${timeouts.delete} s. ` +
                    "Next: look at it in the console, then run the command again",
            );
        }
    },
};

/** Creates the VM once: when the answer is lost, looks for what the call may have made. */
async function createOnce(inputs: VirtualMachineInputs, context: Context): Promise<Vm> {
    try {
        return await context.excloud()("vmCreate", {
            name: inputs.name,
            zone_id: inputs.zoneId,
            project_id: inputs.projectId,
            subnet_id: inputs.subnetId,
            image_id: inputs.imageId,
            instance_type: inputs.instanceType,
            allocate_public_ipv4: inputs.allocatePublicIpv4,
            ssh_pubkey: inputs.sshPubkey,
            security_group_ids: inputs.securityGroupIds,
            root_volume: { size_gib: inputs.rootVolumeSizeGib, zone_id: inputs.zoneId },
            user_data: inputs.userData,
        });
    } catch (error) {
        const leftover =
            error instanceof ApiError && error.hasUnknownOutcome
                ? await findLeftover(inputs, context)
                : undefined;
        if (leftover === undefined) {
            throw error;
        }
        return leftover;
    }
}

/** Waits until the VM runs. What does not is kept in state by its id, so that nothing is lost. */
async function finish(
    id: string,
    inputs: VirtualMachineInputs,
    context: Context,
): Promise<Existing<VirtualMachineInputs, object>> {
    const existing = { id, outputs: {} };
    let found = "its state is not known";
    try {
        const outcome = await context.poll(inputs.timeouts.create, async () => {
            const vm = await context.excloud()("vmGet", { vm_id: id });
            found = `its state is ${vm.state}`;
            const isFinal = ["RUNNING", "ERROR", "STOPPED", "TERMINATED"].includes(vm.state);
            return isFinal ? vm : undefined;
        });
        if (outcome?.state === "RUNNING") {
            return existing;
        }
    } catch (error) {
        found += `; then ${messageOf(error)}`;
    }
    throw new UnfinishedError(
        `VM ${inputs.name} (${id}) does not run: ${found}; waited at most ` +
            `${inputs.timeouts.create} s. Next: run \`pulumi up\` again to go on waiting, or list the node in replaceNodes`,
        existing,
    );
}

async function bindGroups(
    id: string,
    old: number[],
    wanted: number[],
    context: Context,
): Promise<void> {
    const call = context.excloud();
    const vm = await call("vmGet", { vm_id: id });
    const interfaceId = vm.interfaces?.[0]?.id;
    if (interfaceId === undefined) {
        throw new Error(`VM ${vm.name} (${id}) shows no network interface to bind its groups to`);
    }
    const bound = vm.interfaces?.[0]?.security_group_ids ?? old;
    for (const group of wanted.filter((group) => !bound.includes(group))) {
        await call("bindingCreate", { interface_id: interfaceId, security_group_id: group });
    }
    for (const group of bound.filter((group) => !wanted.includes(group))) {
        await call("bindingDelete", { interface_id: interfaceId, security_group_id: group });
    }
}

function inputsOf(state: VirtualMachineInputs): VirtualMachineInputs {
    return Object.fromEntries(
        Object.keys(virtualMachine.changes).map((key) => [
            key,
            state[key as keyof VirtualMachineInputs],
        ]),
    ) as unknown as VirtualMachineInputs;
}

/** What the cloud says of a VM. Image, user data and key are not given back, and cannot change. */
function seen(vm: Vm, state: VirtualMachineInputs): Partial<VirtualMachineInputs> {
    const groups = vm.interfaces?.[0]?.security_group_ids ?? state.securityGroupIds;
    const isSameSet =
        groups.length === state.securityGroupIds.length &&
        groups.every((group) => state.securityGroupIds.includes(group));
    return {
        name: vm.name,
        zoneId: vm.zone_id,
        subnetId: vm.subnet_id,
        instanceType: vm.instance_type,
        securityGroupIds: isSameSet ? state.securityGroupIds : groups,
    };
}
