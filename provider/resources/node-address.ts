import type { Vm } from "../api/schemas";
import { unlessGone } from "../calls/outcomes";
import type { Handler } from "../handler";

export interface NodeAddressInputs {
    vmId: string;
}

export interface NodeAddressOutputs {
    privateIpv4: string;
    /** `""` when the VM has none. */
    privateIpv6: string;
    /** `""` when the VM has none. */
    publicIpv4: string;
}

/**
 * The addresses of a VM, and the only source of them: an update of the VM makes the VM's outputs
 * unknown in a preview, but not its id, so what is built on this resource stays known.
 */
export const nodeAddress: Handler<NodeAddressInputs, NodeAddressOutputs> = {
    changes: { vmId: "replace" },

    async create({ vmId }, context) {
        const vm = await context.excloud()("vmGet", { vm_id: vmId });
        return { id: vmId, outputs: addressesOf(vm) };
    },

    async read(id, { vmId }, context) {
        const vm = await unlessGone(context.excloud()("vmGet", { vm_id: vmId }));
        return vm && { id, inputs: { vmId }, outputs: addressesOf(vm) };
    },

    update: (id, { privateIpv4, privateIpv6, publicIpv4 }) =>
        Promise.resolve({ id, outputs: { privateIpv4, privateIpv6, publicIpv4 } }),

    delete: () => Promise.resolve(),
};

function addressesOf(vm: Vm): NodeAddressOutputs {
    return {
        privateIpv4: vm.interface_ipv4,
        privateIpv6: vm.interface_ipv6 ?? "",
        publicIpv4: vm.public_ipv4 ?? "",
    };
}
