import { randomBytes as draw } from "node:crypto";

import { type Handler, isUnknown } from "../handler";

export interface RandomBytesInputs {
    /** How many, 16 to 64. */
    length: number;
}

export interface RandomBytesOutputs {
    /** The bytes in hex. Secret. */
    hex: string;
}

const shortest = 16;
const longest = 64;

/** Random bytes that only the state knows: drawn by its creation, and kept from then on. */
export const randomBytes: Handler<RandomBytesInputs, RandomBytesOutputs> = {
    changes: { length: "replace" },

    check: (inputs) => {
        const { length } = inputs;
        const isRight =
            isUnknown(length) ||
            (Number.isInteger(length) && length >= shortest && length <= longest);
        const failures = isRight
            ? []
            : [
                  {
                      property: "length",
                      reason: `length must be a whole number from ${shortest} to ${longest} (got ${String(length)})`,
                  },
              ];
        return Promise.resolve({ inputs, failures });
    },

    // The id goes into messages and stays open: it tells nothing of the bytes.
    create: ({ length }) =>
        Promise.resolve({
            id: draw(8).toString("hex"),
            outputs: { hex: draw(length).toString("hex") },
        }),

    read: (id, { hex }) => Promise.resolve({ id, outputs: { hex } }),

    update: (id, { hex }) => Promise.resolve({ id, outputs: { hex } }),

    delete: () => Promise.resolve(),
};
