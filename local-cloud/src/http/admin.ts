import { Type, type Static } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";

import type { Faults } from "../faults";
import { inventoryOf } from "../inventory";
import type { NodeDriver } from "../nodes/driver";
import type { Stores } from "../state/stores";
import { notFound } from "./errors";

/**
 * What the real cloud has no call for, under `/_local/` of the compute listener and behind the same
 * API key: what exists, how the nodes fare, and what
 * is to go wrong around them.
 */
export function addAdminRoutes(
    app: FastifyInstance,
    stores: Stores,
    nodes: NodeDriver,
    faults: Faults,
): void {
    app.get("/_local/inventory", () => inventoryOf(stores));
    app.get("/_local/nodes", () => nodes.statuses());
    app.get<{ Params: { vm_id: number } }>(
        "/_local/nodes/:vm_id/log",
        { schema: { params: Type.Object({ vm_id: Type.Integer() }) } },
        ({ params }) => {
            const lines = nodes.log(params.vm_id);
            if (lines === undefined) throw notFound("local.node", params.vm_id);
            return lines;
        },
    );
    app.put<{ Body: Static<typeof faultsSchema> }>(
        "/_local/faults",
        { schema: { body: faultsSchema } },
        async ({ body }) => {
            if (body.imds_delay_ms !== undefined) faults.imdsDelayMs = body.imds_delay_ms;
            if (body.mirror !== undefined) await faults.setMirror(body.mirror ?? undefined);
            return {};
        },
    );
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
