import { type Static, Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";

import type { CallFaults } from "../faults/call-faults";
import { type FaultKind, faultKinds } from "../faults/kinds";
import type { NodeFaults } from "../faults/node-faults";
import { inventoryOf } from "../inventory";
import type { NodeDriver } from "../nodes/driver";
import type { Stores } from "../state/stores";
import { notFound } from "./errors";

/**
 * What the real cloud has no call for, under `/_local/` of the compute listener and behind the same
 * API key: what exists, how the nodes fare, and what is to go wrong around them and with calls.
 */
export function addAdminRoutes(
    app: FastifyInstance,
    stores: Stores,
    nodes: NodeDriver,
    nodeFaults: NodeFaults,
    callFaults: CallFaults,
): void {
    app.get("/_local/inventory", () => inventoryOf(stores));
    app.get("/_local/nodes", () => nodes.statuses());
    app.get<{ Params: { vm_id: number } }>(
        "/_local/nodes/:vm_id/log",
        { schema: { params: Type.Object({ vm_id: Type.Integer() }) } },
        ({ params }) => {
            const lines = nodes.log(params.vm_id);
            if (lines === undefined) {
                throw notFound("local.node", params.vm_id);
            }
            return lines;
        },
    );
    app.put<{ Body: Static<typeof faultsSchema> }>(
        "/_local/faults",
        { schema: { body: faultsSchema } },
        async ({ body }) => {
            if (body.imds_delay_ms !== undefined) {
                nodeFaults.imdsDelayMs = body.imds_delay_ms;
            }
            if (body.mirror !== undefined) {
                await nodeFaults.setMirror(body.mirror ?? undefined);
            }
            return {};
        },
    );
    app.post<{ Body: Static<typeof callFaultSchema> }>(
        "/_local/faults/calls",
        { schema: { body: callFaultSchema } },
        ({ body: { times, ...spec } }) => {
            const { id } = callFaults.add({
                ...spec,
                ...(times === undefined ? {} : { times: times ?? Infinity }),
            });
            return { id };
        },
    );
    app.get("/_local/faults/calls", () =>
        // JSON has no infinity: `null`, as when it was given.
        callFaults.list().map((fault) => ({
            ...fault,
            times: Number.isFinite(fault.times) ? fault.times : null,
        })),
    );
    app.delete("/_local/faults/calls", () => {
        callFaults.clear();
        return {};
    });
}

/** What is given changes; `null` ends the mirror's fault. */
const faultsSchema = Type.Object(
    {
        imds_delay_ms: Type.Optional(Type.Integer({ minimum: 0 })),
        mirror: Type.Optional(
            Type.Union([
                Type.Null(),
                Type.Literal("down"),
                Type.Object({ path: Type.String(), content: Type.String() }),
            ]),
        ),
    },
    { additionalProperties: false },
);

const count = Type.Integer({ minimum: 1 });

/** `times` is `null` for all calls until the faults are cleared. */
const callFaultSchema = Type.Object(
    {
        operation: Type.String(),
        kind: Type.Union(
            (Object.keys(faultKinds) as FaultKind[]).map((kind) => Type.Literal(kind)),
        ),
        match: Type.Optional(
            Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
        ),
        occurrence: Type.Optional(count),
        times: Type.Optional(Type.Union([count, Type.Null()])),
    },
    { additionalProperties: false },
);
