import { Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";

import { inventoryOf } from "../inventory";
import type { NodeDriver } from "../nodes/driver";
import type { Stores } from "../state/stores";
import { notFound } from "./errors";

/**
 * What the real cloud has no call for, under `/_local/` of the compute listener and behind the same
 * API key: what exists, and how the nodes fare.
 */
export function addAdminRoutes(app: FastifyInstance, stores: Stores, nodes: NodeDriver): void {
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
}
