import { deleteImages, terminateBuilders } from "../calls/image-leftovers";
import type { Handler } from "../handler";

export interface ImageSlotInputs {
    /** The name of the builder and of the image, which no other program gives. */
    name: string;
    /** Seconds to wait until a builder is terminated. */
    timeouts: { delete: number };
}

/**
 * The name under which an image is made, kept before its builder is. It goes after both: what still has the name
 * then was left by an interrupted creation that no `up` followed, and nothing else knows of it.
 */
export const imageSlot: Handler<ImageSlotInputs, object> = {
    changes: { name: "replace", timeouts: "ignore" },

    create: ({ name }) => Promise.resolve({ id: name, outputs: {} }),

    read: (id) => Promise.resolve({ id, outputs: {} }),

    update: (id) => Promise.resolve({ id, outputs: {} }),

    async delete(_id, state, context) {
        await terminateBuilders(state, context);
        await deleteImages(state.name, context);
    },
};
