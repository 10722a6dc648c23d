import type { Snapshot } from "../api/schemas";
import type { Context } from "../context";
import { seenIn } from "../errors";
import { passing, settlingSeconds, unlessGone } from "./outcomes";
import { terminate } from "./terminate-vm";

// No other program gives the name of an image (`uniqueName`): what has it and is not in the state is what an
// interrupted run left.

/** Terminates the VMs of a builder's name. */
export async function terminateBuilders(
    { name, timeouts }: { name: string; timeouts: { delete: number } },
    context: Context,
): Promise<void> {
    for (const vm of await context.excloud()("vmList", {})) {
        if (vm.name === name && vm.state !== "TERMINATED") {
            context.log(`builder ${name} (${vm.vm_id}) was left by an interrupted run`);
            const { vm_id, zone_id } = vm;
            const seconds = timeouts.delete;
            await terminate({ id: String(vm_id), name, zoneId: zone_id, seconds }, context);
        }
    }
}

/** Deletes the images of a name, but for the one that is `kept`. */
export async function deleteImages(
    name: string,
    context: Context,
    kept?: Pick<Snapshot, "id">,
): Promise<void> {
    for (const image of await context.excloud()("snapshotList")) {
        if (image.is_ami && image.name === name && image.id !== kept?.id) {
            context.log(`image ${name} (${image.id}) was left by an interrupted run: deleting`);
            await deleteImage(image, context);
        }
    }
}

/**
 * Deletes an image and waits until it is not listed any more. One that is gone is done.
 *
 * @throws Error when it is still there after a while
 */
export async function deleteImage(
    { id, name }: Pick<Snapshot, "id" | "name">,
    context: Context,
): Promise<void> {
    const call = context.excloud();
    let trouble = "";
    const isGone = await context.poll(settlingSeconds, async () => {
        await unlessGone(call("snapshotDelete", { snapshot_id: id })).catch((error: unknown) => {
            trouble = `; ${seenIn(passing(error))}`;
        });
        // One wrong answer would leave the image behind for good.
        return (await call("snapshotList")).some((image) => image.id === id) ? undefined : true;
    });
    if (!isGone) {
        throw new Error(
            `image ${name} (${id}) is still there after ${settlingSeconds} s${trouble}. ` +
                "Next: see in the console what uses it, then run the command again",
        );
    }
}
