import type { Vm } from "../api/schemas";
import type { Context } from "../context";
import { unlessGone } from "./forgiving";
import type { VirtualMachineInputs } from "./virtual-machine";

const alive: readonly Vm["state"][] = ["CREATING", "STARTING", "RUNNING"];

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
    const call = context.excloud();
    const candidates = (await call("vmList", { zone_id: inputs.zoneId })).filter(
        (vm) => vm.name === inputs.name && alive.includes(vm.state),
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
    const [vm, images] = await Promise.all([
        call("vmGet", { vm_id: candidate.vm_id }),
        call("imageList"),
    ]);
    const image = images.find(({ id }) => id === inputs.imageId)?.name;
    const differences = [
        ["subnet", vm.subnet_id, inputs.subnetId],
        ["image", vm.image_name, image],
        ["instance type", vm.instance_type, inputs.instanceType],
    ].filter(([, found, wanted]) => found !== wanted);
    if (differences.length > 0) {
        const text = differences.map(([what, found, wanted]) => `${what} ${found}, not ${wanted}`);
        throw new Error(
            `a VM named ${inputs.name} (${vm.vm_id}) exists with ${text.join("; ")}. ` +
                "Next: terminate it when it is not needed",
        );
    }
    const binding = await unlessGone(
        context.bootstrap(inputs.bootstrap)("getVmBinding", { vm_id: vm.vm_id }),
    );
    if (
        binding !== undefined &&
        (binding.cluster_id !== inputs.clusterId || binding.slot !== inputs.slot)
    ) {
        throw new Error(
            `VM ${inputs.name} (${vm.vm_id}) belongs to ${binding.slot} of cluster ${binding.cluster_id}`,
        );
    }
    context.log(`VM ${inputs.name} (${vm.vm_id}) was left by an interrupted run: adopted`);
    return vm;
}
