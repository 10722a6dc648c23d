import type { Snapshot, Vm } from "../api/schemas";
import { createOnce } from "../calls/create-once";
import { deleteImage, deleteImages } from "../calls/image-leftovers";
import { passing, unlessGone } from "../calls/outcomes";
import { terminate } from "../calls/terminate-vm";
import { isGone } from "../calls/vm-states";
import type { Context } from "../context";
import { seenIn } from "../errors";
import { type Existing, type Handler, inputsOf, UnfinishedError } from "../handler";

export interface MachineImageInputs {
    name: string;
    zoneId: number;
    /** The VM whose root volume becomes the image; it is stopped before, and terminated after. */
    builderVmId: string;
    /** What it holds, by name: to show. */
    contents: Record<string, string>;
    /** Seconds to wait until the VM is stopped and then the image is made, and until the VM is terminated. */
    timeouts: { create: number; delete: number };
}

export interface MachineImageOutputs {
    imageId: number;
}

/** A machine image, made of the root volume of a VM, which it uses up. */
export const machineImage: Handler<MachineImageInputs, MachineImageOutputs> = {
    changes: {
        name: "replace",
        zoneId: "replace",
        builderVmId: "replace",
        contents: "replace",
        timeouts: "ignore",
    },

    async create(inputs, context) {
        const call = context.excloud();
        const vm = await unlessGone(call("vmGet", { vm_id: inputs.builderVmId }));
        if (vm === undefined) {
            throw usedUp(inputs);
        }
        const { name } = inputs;
        const volume_id = vm.root_volume_id;
        const find = () => findImage({ name, volumeId: volume_id }, context);
        let image = await find();
        if (image === undefined) {
            await stopped(vm, inputs, context);
            const make = () => call("snapshotCreate", { volume_id, name, is_ami: true });
            image = await createOnce<Snapshot>(context, make, find);
        }
        await deleteImages(name, context, image);
        return finish(String(image.id), inputs, context);
    },

    async read(id, state, context) {
        const image = await imageOf(id, context);
        return (
            image && {
                id,
                inputs: { ...inputsOf(machineImage, state), name: image.name },
                outputs: { imageId: image.id },
            }
        );
    },

    update: (id, _state, inputs, context) => finish(id, inputs, context),

    delete: (id, { name }, context) => deleteImage({ id: Number(id), name }, context),
};

/** The image of a name; with `volumeId`, only one that was made of that volume. */
export async function findImage(
    { name, volumeId }: { name: string; volumeId?: number },
    context: Context,
): Promise<Snapshot | undefined> {
    return (await context.excloud()("snapshotList")).find(
        (image) =>
            image.is_ami &&
            image.name === name &&
            (volumeId === undefined || image.volume_id === volumeId),
    );
}

async function imageOf(id: string, context: Context): Promise<Snapshot | undefined> {
    return (await context.excloud()("snapshotList")).find((image) => String(image.id) === id);
}

function usedUp({ builderVmId, name }: MachineImageInputs): Error {
    return new Error(
        `VM ${builderVmId}, of which image ${name} was to be made, is gone, and there is no such image. ` +
            "Next: run `pulumi up --refresh` to bake it anew",
    );
}

/** Stops the VM: only then is everything on its volume. */
async function stopped(vm: Vm, inputs: MachineImageInputs, context: Context): Promise<void> {
    const call = context.excloud();
    let { state } = vm;
    let trouble = "";
    const isStopped = await context.poll(inputs.timeouts.create, async () => {
        state = (await call("vmGet", { vm_id: vm.vm_id })).state;
        if (isGone({ state })) {
            throw usedUp(inputs);
        }
        if (state === "RUNNING") {
            await call("vmStop", { vm_id: vm.vm_id }).catch((error: unknown) => {
                trouble = `; ${seenIn(passing(error))}`;
            });
        }
        return state === "STOPPED" ? true : undefined;
    });
    if (!isStopped) {
        throw new Error(
            `VM ${vm.name} (${vm.vm_id}) is ${state}, not stopped, after ${inputs.timeouts.create} s${trouble}. ` +
                "Next: run the command again",
        );
    }
}

/** Waits for the image, then ends the VM it was made of. What fails here keeps the image in state. */
async function finish(
    id: string,
    inputs: MachineImageInputs,
    context: Context,
): Promise<Existing<MachineImageInputs, MachineImageOutputs>> {
    const { name, zoneId, builderVmId, timeouts } = inputs;
    const existing = { id, outputs: { imageId: Number(id) } };
    let state = "not listed";
    let next = "run `pulumi up` again";
    try {
        const isThere = await context.poll(timeouts.create, async () => {
            state = (await imageOf(id, context))?.state ?? "not listed";
            return state === "AVAILABLE" || state === "ERROR" ? state : undefined;
        });
        if (isThere !== "AVAILABLE") {
            next = isThere === undefined ? next : "delete it, then run `pulumi up --refresh`";
            throw new Error(`it is ${state}; waited at most ${timeouts.create} s`);
        }
        const builder = { id: builderVmId, name, zoneId, seconds: timeouts.delete };
        await terminate(builder, context);
    } catch (error) {
        throw new UnfinishedError(
            `image ${name} (${id}) is not finished: ${seenIn(error)}. Next: ${next}`,
            existing,
        );
    }
    return existing;
}
