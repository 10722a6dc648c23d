import { askServer } from "../control/client";
import type { RotationStep } from "../service/rotate-key";

/** Seals everything with the first key, in steps: one that is cut off goes on where it was. */
export async function rotateKey({ dataDir }: { dataDir: string }): Promise<void> {
    let total = 0;
    for (;;) {
        const step = await askServer<RotationStep>(dataDir, {
            method: "POST",
            path: "/local/rotate-key",
        });
        total += step.resealed;
        if (step.left > 0) {
            console.log(`${total} sealed anew, ${step.left} left`);
            continue;
        }
        console.log(`all contents are sealed with key ${step.key}; ${total} were sealed anew`);
        for (const id of step.unneeded) {
            console.log(
                `key ${id} is not needed any more: take it out of every server's configuration`,
            );
        }
        return;
    }
}
