import { randomBytes } from "node:crypto";

/** Draws a cluster id: 40 random bits, never 0. Two servers of one organisation so never collide. */
export function drawClusterId(): number {
    for (;;) {
        const id = randomBytes(5).readUIntBE(0, 5);
        if (id !== 0) {
            return id;
        }
    }
}
