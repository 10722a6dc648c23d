import type { FastifyReply } from "fastify";

import type { CallFaults } from "./call-faults";

/** A call that is hit. */
export interface HitCall {
    readonly reply: FastifyReply;
    readonly faults: CallFaults;
}
