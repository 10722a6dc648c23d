import type { Vm } from "../api/schemas";
import type { Context } from "../context";
import { seenIn } from "../errors";
import { passing, unlessGone } from "./outcomes";

/** A VM that is to go. */
export interface Doomed {
    readonly id: string;
    readonly name: string;
    readonly zoneId: number;
    /** How long to wait until it is terminated. */
    readonly seconds: number;
}

/**
 * Terminates a VM with its root volume and waits until it is TERMINATED, which is when its security groups
 * are released. One that is gone is done.
 *
 * @throws Error when it is under deletion protection, or not terminated in time
 */
export async function terminate(
    { id, name, zoneId, seconds }: Doomed,
    context: Context,
): Promise<void> {
    const call = context.excloud();
    const isIt = (vm: Vm) => String(vm.vm_id) === id && vm.state !== "TERMINATED";
    let trouble = "";
    const isGone = await context.poll(seconds, async () => {
        const vm =
            (await unlessGone(call("vmGet", { vm_id: id }))) ??
            // One wrong answer would leave the VM behind for good.
            (await call("vmList", { zone_id: zoneId })).find(isIt);
        if (vm === undefined || vm.state === "TERMINATED") {
            return true;
        }
        if (vm.delete_protection) {
            throw new Error(
                `VM ${name} (${id}) is protected against deletion in the cloud. ` +
                    "Next: take the protection off, then run the command again",
            );
        }
        if (vm.state !== "TERMINATING") {
            context.log(`VM ${name} (${id}): terminating`);
            const answer = call("vmTerminate", { vm_id: Number(id), delete_root_volume: true });
            await unlessGone(answer).catch((error: unknown) => {
                trouble = `; ${seenIn(passing(error))}`;
            });
        }
        return undefined;
    });
    if (!isGone) {
        throw new Error(
            `VM ${name} (${id}) is not terminated after ${seconds} s${trouble}. ` +
                "Next: look at it in the console, then run the command again",
        );
    }
}
