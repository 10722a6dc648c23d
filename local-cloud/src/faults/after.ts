import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

import type { FastifyReply } from "fastify";

import type { HitCall } from "./hit-call";
import type { KindWith } from "./kinds";

/** How long a body takes in crumbs, and in how many at most. */
const bodyMs = 400;
const crumbs = 40;

/** How long half a body has to be on its way. */
const halfMs = 10;

/** An answer that was ready to be sent. */
export interface Answered extends HitCall {
    /** The body; empty for an answer without one. */
    readonly payload: string;
    /** What this list held before its last change. */
    readonly former: string;
}

/** The body to spoil. An answer without one gets one, or there would be nothing to spoil. */
function bodyOf({ reply, payload }: Answered): Buffer {
    if (payload !== "") {
        return Buffer.from(payload);
    }
    void reply.code(200).type("application/json; charset=utf-8");
    return Buffer.from("{}");
}

const firstHalf = (body: Buffer): Buffer => body.subarray(0, body.length / 2);

/** Sends pieces as a body that is announced as the whole one. */
function sendPieces(reply: FastifyReply, whole: Buffer, pieces: AsyncIterable<Buffer>): Readable {
    void reply.header("content-length", whole.length);
    return Readable.from(pieces);
}

async function* inCrumbs(body: Buffer): AsyncGenerator<Buffer> {
    const size = Math.ceil(body.length / crumbs);
    for (let start = 0; start < body.length; start += size) {
        // Never after the last crumb: the client then takes the connection for free.
        if (start > 0) {
            await sleep((bodyMs * size) / body.length);
        }
        yield body.subarray(start, start + size);
    }
}

async function* halfThenEnd(body: Buffer, reply: FastifyReply): AsyncGenerator<Buffer> {
    yield firstHalf(body);
    await sleep(halfMs);
    reply.raw.destroy();
}

/** Leaves the answer as it is; what follows for its VM is the lifecycle's. */
const spoilVm =
    (kind: "vm-error" | "vm-stuck") =>
    ({ faults, payload }: Answered): string => {
        const { vm_id } = JSON.parse(payload) as { vm_id?: number };
        if (vm_id !== undefined) {
            faults.vms.set(vm_id, kind);
        }
        return payload;
    };

type Payload = string | Buffer | Readable;

/** What is sent in place of the answer of a call that was carried out. */
export const after: Record<KindWith<"done">, (answered: Answered) => Payload | Promise<Payload>> = {
    truncated: (answered) => firstHalf(bodyOf(answered)),
    "reset-after": ({ reply, payload }) => {
        reply.raw.destroy();
        return payload;
    },
    "hang-after": async ({ faults, payload }) => {
        await faults.untilCleared();
        return payload;
    },
    "slow-body": (answered) => {
        const body = bodyOf(answered);
        return sendPieces(answered.reply, body, inCrumbs(body));
    },
    "cut-body": (answered) => {
        const body = bodyOf(answered);
        return sendPieces(answered.reply, body, halfThenEnd(body, answered.reply));
    },
    "stale-list": ({ former }) => former,
    "vm-error": spoilVm("vm-error"),
    "vm-stuck": spoilVm("vm-stuck"),
};
