import type { Vm } from "../../api/schemas";
import { createOnce } from "../../calls/create-once";
import { passing, settlingSeconds, unlessGone } from "../../calls/outcomes";
import { terminate } from "../../calls/terminate-vm";
import { vmRequest } from "../../calls/vm-request";
import type { Context } from "../../context";
import { seenIn } from "../../errors";
import { type Existing, type Handler, inputsOf, UnfinishedError } from "../../handler";
import { findLeftover, takeOver } from "./adopt";
import { checkVirtualMachine } from "./check";
import type { VirtualMachineInputs } from "./inputs";

export interface VirtualMachineOutputs {
    /** Whether it ever ran: one that never did holds nothing, and is replaced without being asked. */
    hasRun: boolean;
}

/** A VM. Its creation waits until it runs, its deletion until it is terminated. */
export const virtualMachine: Handler<VirtualMachineInputs, VirtualMachineOutputs> = {
    putsAtServer: true,
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
        replaceWithoutQuorum: "ignore",
        adoptVmId: "ignore",
        timeouts: "ignore",
        state: "update",
    },

    judge: (old, { replacement }) => ({
        // To list a node is to have it replaced, once; to take it off the list is to be able to do so again.
        replacement:
            replacement === "allow" ? "replace" : old.replacement === "allow" ? "update" : "ignore",
        state: isReplacedNext(old.state, old.hasRun) ? "replace" : "update",
    }),

    check: checkVirtualMachine,

    async create(inputs, context) {
        const vm =
            inputs.adoptVmId === undefined
                ? ((await findLeftover(inputs, context)) ?? (await create(inputs, context)))
                : await takeOver(inputs.adoptVmId, inputs, context);
        return finish(String(vm.vm_id), { hasRun: false }, inputs, context);
    },

    async read(id, state, context) {
        const vm = await unlessGone(context.excloud()("vmGet", { vm_id: id }));
        if (vm === undefined || stateOf(vm) === "TERMINATED") {
            return undefined;
        }
        const { hasRun } = state;
        return {
            id,
            inputs: { ...inputsOf(virtualMachine, state), ...seen(vm, state) },
            outputs: { hasRun },
        };
    },

    update: (id, state, inputs, context) => finish(id, state, inputs, context),

    delete: (id, { name, zoneId, timeouts }, context) =>
        terminate({ id, name, zoneId, seconds: timeouts.delete }, context),
};

/** Creates the VM once: when the answer is lost, looks for what the call may have made. */
function create(inputs: VirtualMachineInputs, context: Context): Promise<Vm> {
    return createOnce(
        context,
        () => context.excloud()("vmCreate", { ...vmRequest(inputs), ssh_pubkey: inputs.sshPubkey }),
        () => findLeftover(inputs, context),
    );
}

/**
 * Brings the VM to what its inputs say: running, in its security groups. What does not get there is kept
 * in state by its id, so that nothing is lost.
 */
async function finish(
    id: string,
    { hasRun }: VirtualMachineOutputs,
    inputs: VirtualMachineInputs,
    context: Context,
): Promise<Existing<VirtualMachineInputs, VirtualMachineOutputs>> {
    const call = context.excloud();
    let found = "its state is not known";
    let state: VirtualMachineInputs["state"] = "RUNNING";
    let next = "run `pulumi up` again to go on, or list the node in replaceNodes";
    let missing = 0;
    try {
        const last = await context.poll(inputs.timeouts.create, async () => {
            const vm = await unlessGone(call("vmGet", { vm_id: id }));
            if (vm === undefined) {
                found = "the cloud does not know it";
                return ++missing < patienceWithMissing ? undefined : null;
            }
            missing = 0;
            state = stateOf(vm);
            const seen = `its state is ${vm.state}`;
            if (seen !== found && vm.state !== "RUNNING") {
                context.log(`VM ${inputs.name} (${id}): ${vm.state}`);
            }
            found = seen;
            if (vm.state === "STOPPED") {
                await call("vmStart", { vm_id: Number(id) }).catch(passing);
            }
            const isFinal = vm.state === "RUNNING" || state === "ERROR" || state === "TERMINATED";
            return isFinal ? vm : undefined;
        });
        if (last?.state === "RUNNING") {
            hasRun = true;
            await bindGroups(id, inputs.securityGroupIds, context);
            return { id, outputs: { hasRun } };
        }
        if (last === null) {
            // One that ran is given up only by a refresh: the answer may be wrong.
            state = hasRun ? state : "TERMINATED";
            next = "run `pulumi up --refresh`; a VM of that name is adopted, else one is made";
        }
    } catch (error) {
        found += `; then ${seenIn(error)}`;
    }
    if (isReplacedNext(state, hasRun)) {
        next = "run `pulumi up` again to have it replaced";
    }
    throw new UnfinishedError(
        `VM ${inputs.name} (${id}) does not run as it should: ${found}; waited at most ` +
            `${inputs.timeouts.create} s. Next: ${next}`,
        { id, outputs: { hasRun, state } },
    );
}

/** Looks in a row that find nothing until a VM counts as gone: what was just made may not show at once. */
const patienceWithMissing = 10;

/** What a VM is, or is about to be by itself. */
function stateOf({ state }: Vm): NonNullable<VirtualMachineInputs["state"]> {
    switch (state) {
        case "STOPPING":
        case "STOPPED":
            return "STOPPED";
        case "TERMINATING":
        case "TERMINATED":
            return "TERMINATED";
        case "ERROR":
            return "ERROR";
        default:
            return "RUNNING";
    }
}

/** Whether a VM cannot come to run any more and nothing is lost with it. */
function isReplacedNext(state: VirtualMachineInputs["state"], hasRun: boolean): boolean {
    return state === "TERMINATED" || (state === "ERROR" && !hasRun);
}

/** Makes the VM's security groups the wanted ones, and looks whether they are. */
async function bindGroups(id: string, wanted: number[], context: Context): Promise<void> {
    const call = context.excloud();
    const isBound = await context.poll(settlingSeconds, async () => {
        const [own] = (await call("vmGet", { vm_id: id })).interfaces ?? [];
        if (own === undefined) {
            return undefined;
        }
        const bound = own.security_group_ids;
        const missing = wanted.filter((group) => !bound.includes(group));
        const superfluous = bound.filter((group) => !wanted.includes(group));
        for (const security_group_id of missing) {
            await call("bindingCreate", { interface_id: own.id, security_group_id });
        }
        for (const security_group_id of superfluous) {
            await unlessGone(call("bindingDelete", { interface_id: own.id, security_group_id }));
        }
        return missing.length + superfluous.length === 0 ? true : undefined;
    });
    if (!isBound) {
        throw new Error(
            `its security groups are not ${wanted.join(", ")} after ${settlingSeconds} s`,
        );
    }
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
        state: stateOf(vm),
    };
}
