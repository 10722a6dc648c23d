import type { FastifyReply } from "fastify";

import type { CallFaults } from "./call-faults";

/** A call that is hit. */
export interface HitCall {
    readonly reply: FastifyReply;
    readonly faults: CallFaults;
}

/** Ends when the client has given the call up, or all faults are cleared. */
export function untilFreed({ reply, faults }: HitCall): Promise<void> {
    return new Promise((resolve) => {
        if (reply.raw.destroyed) return resolve();
        const takeBack = faults.whenCleared(resolve);
        reply.raw.once("close", () => {
            takeBack();
            resolve();
        });
    });
}
