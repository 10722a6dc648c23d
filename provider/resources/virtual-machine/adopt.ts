import type { Vm } from "../../api/schemas";
import { unlessGone } from "../../calls/outcomes";
import { isComing } from "../../calls/vm-states";
import type { Context } from "../../context";
import type { VirtualMachineInputs } from "./inputs";

/** What must be as it is wanted, as it cannot change. */
type Placed = Pick<
    VirtualMachineInputs,
    "zoneId" | "projectId" | "subnetId" | "imageId" | "instanceType"
>;

/** In which ways a VM is not the wanted one: `subnet 1, not 2`. */
export function differences(
    vm: Vm,
    images: readonly { id: number; name: string }[],
    wanted: Placed,
): string[] {
    const image = images.find(({ id }) => id === wanted.imageId)?.name;
    return (
        [
            ["zone", vm.zone_id, wanted.zoneId],
            ["project", vm.project_id, wanted.projectId],
            ["subnet", vm.subnet_id, wanted.subnetId],
            ["image", vm.image_name, image],
            ["instance type", vm.instance_type, wanted.instanceType],
        ] as const
    )
        .filter(([, found, want]) => found !== want)
        .map(([what, found, want]) => `${what} ${found}, not ${want}`);
}

/**
 * The VM that an interrupted creation of the same slot left, if there is one. Creating calls are not
 * idempotent in the cloud, so the deterministic name is the only thread back to it.
 *
 * @throws Error when a VM of that name is there that cannot be this slot's, or more than one
 */
export async function findLeftover(
    inputs: VirtualMachineInputs,
    context: Context,
): Promise<Vm | undefined> {
    const candidates = (await context.excloud()("vmList", { zone_id: inputs.zoneId })).filter(
        (vm) => vm.name === inputs.name && isComing(vm),
    );
    const [candidate, another] = candidates;
    if (candidate === undefined) {
        return undefined;
    }
    if (another !== undefined) {
        const ids = candidates.map((vm) => vm.vm_id).join(", ");
        throw new Error(
            `there are several VMs named ${inputs.name}: ${ids}. Next: terminate all that are not needed`,
        );
    }
    const next = "terminate it when it is not needed";
    const vm = await verified(candidate.vm_id, inputs, context, next);
    context.log(`VM ${inputs.name} (${vm.vm_id}) was left by an interrupted run: adopted`);
    return vm;
}

/**
 * The VM that the user gives for the slot, under the slot's name from now on.
 *
 * @throws Error when it is not what the slot asks for, or another's
 */
export async function takeOver(
    vmId: number,
    inputs: VirtualMachineInputs,
    context: Context,
): Promise<Vm> {
    const next = "give another VM to adopt, or other arguments";
    const vm = await verified(vmId, inputs, context, next);
    if (!isComing(vm)) {
        throw new Error(`VM ${vmId} is ${vm.state}. Next: start it, or give another one to adopt`);
    }
    if (vm.name !== inputs.name) {
        await context.excloud()("vmRename", { vm_id: vmId, name: inputs.name });
    }
    context.log(`VM ${vm.name} (${vmId}) is adopted as ${inputs.name}`);
    return vm;
}

async function verified(
    vmId: number,
    inputs: VirtualMachineInputs,
    context: Context,
    next: string,
): Promise<Vm> {
    const call = context.excloud();
    const [vm, images] = await Promise.all([call("vmGet", { vm_id: vmId }), call("imageList")]);
    const found = differences(vm, images, inputs);
    if (found.length > 0) {
        throw new Error(
            `a VM named ${vm.name} (${vmId}) exists with ${found.join("; ")}. Next: ${next}`,
        );
    }
    if (inputs.bootstrap === undefined) {
        return vm;
    }
    const binding = await unlessGone(
        context.bootstrap(inputs.bootstrap)("getVmBinding", { vm_id: vmId }),
    );
    if (
        binding !== undefined &&
        (binding.cluster_id !== inputs.clusterId || binding.slot !== inputs.slot)
    ) {
        throw new Error(
            `VM ${vm.name} (${vmId}) belongs to ${binding.slot} of cluster ${binding.cluster_id}`,
        );
    }
    return vm;
}
