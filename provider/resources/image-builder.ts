import type { Vm } from "../api/schemas";
import { createOnce } from "../calls/create-once";
import { terminateBuilders } from "../calls/image-leftovers";
import { passing, unlessGone } from "../calls/outcomes";
import { terminate } from "../calls/terminate-vm";
import { type NewVm, vmRequest } from "../calls/vm-request";
import { isComing, isGone } from "../calls/vm-states";
import type { Context } from "../context";
import { seenIn } from "../errors";
import { type Existing, type Handler, inputsOf, isUnknown, UnfinishedError } from "../handler";
import { findImage } from "./machine-image";
import { checkPlace, type Place } from "./virtual-machine/check";

/** The name is that of the VM and of the image that is made of it: no run of another program has it. */
export interface ImageBuilderInputs extends NewVm {
    /** What the image is to hold, by name; a change means another image. */
    contents: Record<string, string>;
    /** Seconds to wait until it runs, and until it is terminated. */
    timeouts: { create: number; delete: number };
    /** Whether it is of use, derived by `check`; `read` says what it is. */
    state?: "USABLE" | "USELESS";
}

export interface ImageBuilderOutputs {
    /** Address at which it is reached; `""` until it runs. */
    host: string;
}

/**
 * The VM on which an image is made. Its VM goes when the image is there ({@link machineImage} terminates it), so
 * that nobody pays for it any longer; the builder counts as there as long as either of them is. Only when both are
 * gone is it made, and the image baked, anew.
 *
 * What an interrupted run left of the builder is terminated, not adopted: nobody knows what was run on it.
 */
export const imageBuilder: Handler<ImageBuilderInputs, ImageBuilderOutputs> = {
    changes: {
        name: "replace",
        zoneId: "replace",
        projectId: "replace",
        subnetId: "replace",
        imageId: "replace",
        instanceType: "replace",
        allocatePublicIpv4: "replace",
        rootVolumeSizeGib: "replace",
        userData: "replace",
        contents: "replace",
        securityGroupIds: "ignore",
        timeouts: "ignore",
        state: "replace",
    },

    async check(given, old, context) {
        const inputs: ImageBuilderInputs = { ...given, state: "USABLE" };
        const { zoneId, subnetId, imageId, instanceType, allocatePublicIpv4 } = inputs;
        const place: Place = { zoneId, subnetId, imageId, instanceType, allocatePublicIpv4 };
        // What was baked is there, whatever became of the image and the subnet it was made with.
        if (isUnknown(place) || (old !== undefined && old.name === inputs.name)) {
            return { inputs, failures: [] };
        }
        return { inputs, failures: (await checkPlace(place, context)).failures };
    },

    async create(inputs, context) {
        await terminateBuilders(inputs, context);
        const { vm_id } = await createOnce(
            context,
            () => context.excloud()("vmCreate", vmRequest(inputs)),
            () => find(inputs, context),
        );
        return untilRunning(String(vm_id), inputs, context);
    },

    async read(id, state, context) {
        const { host } = state;
        const as = (is: ImageBuilderInputs["state"]) => ({
            id,
            inputs: { ...inputsOf(imageBuilder, state), ...(is ? { state: is } : {}) },
            outputs: { host },
        });
        const vm = await unlessGone(context.excloud()("vmGet", { vm_id: id }));
        if (vm !== undefined && isComing(vm)) {
            return as("USABLE");
        }
        if ((await findImage({ name: state.name }, context)) !== undefined) {
            return as("USABLE");
        }
        return vm === undefined || isGone(vm) ? undefined : as("USELESS");
    },

    update: (id, _state, inputs, context) => untilRunning(id, inputs, context),

    delete: (id, { name, zoneId, timeouts }, context) =>
        terminate({ id, name, zoneId, seconds: timeouts.delete }, context),
};

async function find({ name, zoneId }: NewVm, context: Context): Promise<Vm | undefined> {
    const vms = await context.excloud()("vmList", { zone_id: zoneId });
    return vms.find((vm) => vm.name === name && !isGone(vm));
}

async function untilRunning(
    id: string,
    inputs: ImageBuilderInputs,
    context: Context,
): Promise<Existing<ImageBuilderInputs, ImageBuilderOutputs>> {
    let found = "its state is not known";
    try {
        const vm = await context.poll(inputs.timeouts.create, async () => {
            // What was just made may not show at once.
            const seen = await unlessGone(context.excloud()("vmGet", { vm_id: id }).catch(again));
            found = seen === undefined ? "the cloud does not know it" : `it is ${seen.state}`;
            return seen?.state === "RUNNING" || (seen && !isComing(seen)) ? seen : undefined;
        });
        if (vm?.state === "RUNNING") {
            return { id, outputs: { host: vm.public_ipv4 ?? vm.interface_ipv4 } };
        }
    } catch (error) {
        found += `; then ${seenIn(error)}`;
    }
    throw new UnfinishedError(
        `builder ${inputs.name} (${id}) does not run: ${found}; waited at most ` +
            `${inputs.timeouts.create} s. Next: run \`pulumi up\` again to have it made anew`,
        { id, outputs: { host: "", state: "USELESS" } },
    );
}

/** A look that failed says nothing; the next one may. */
function again(error: unknown): undefined {
    passing(error);
}
