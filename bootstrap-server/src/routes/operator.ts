import { formerOperations, formerPoolOf, operatorOperations } from "#contract/operator";

import type { Context } from "../context";
import { bodyLimits } from "../limits";
import * as clusters from "../service/clusters";
import * as bundles from "../service/node-bundles";
import * as pools from "../service/pool-files";
import * as slots from "../service/slots";
import { clusterStatus } from "../service/status";
import { serve } from "./operation";
import { guardByOperator } from "./operator-guard";
import type { App } from "./types";

const operations = operatorOperations;
const operator = { tags: ["operator"], security: [{ operator: [] }] };
const ofFiles = { ...operator, bodyLimit: bodyLimits.files };
const former = { ...operator, tags: ["operator of 0.1"] };

/** Adds the operator's routes, each behind an operator's token and in the audit. */
export function operatorRoutes(app: App, context: Context): void {
    guardByOperator(app, context);
    clusterRoutes(app, context);
    slotRoutes(app, context);
    poolFilesRoutes(app, context);
    bundleRoutes(app, context);
    formerRoutes(app, context);
}

/** The cluster that a path names. */
const clusterIn = ({ cluster_id }: { cluster_id: string }): number => Number(cluster_id);

function clusterRoutes(app: App, context: Context): void {
    serve(app, operations.registerCluster, operator, ({ body }) =>
        clusters.registerCluster(context, body.key),
    );
    serve(app, operations.listClusters, operator, () => clusters.listClusters(context));
    serve(app, operations.getCluster, operator, ({ params }) =>
        clusters.readCluster(context, clusterIn(params)),
    );
    serve(app, operations.deleteCluster, operator, ({ params, query }) =>
        clusters.deleteCluster(context, clusterIn(params), {
            onlySilent: query.only_silent !== undefined,
        }),
    );
    serve(app, operations.getStatus, operator, ({ params }) =>
        clusterStatus(context, clusterIn(params)),
    );
    serve(app, operations.getVmBinding, operator, ({ params }) =>
        slots.findVm(context, Number(params.vm_id)),
    );
}

function slotRoutes(app: App, context: Context): void {
    serve(app, operations.putSlot, operator, ({ params, body }) =>
        slots.putSlot(context, clusterIn(params), params.slot, body),
    );
    serve(app, operations.getSlot, operator, ({ params }) =>
        slots.readSlot(context, clusterIn(params), params.slot),
    );
    serve(app, operations.deleteSlot, operator, ({ params }) =>
        slots.deleteSlot(context, clusterIn(params), params.slot),
    );
}

function poolFilesRoutes(app: App, context: Context): void {
    serve(app, operations.putPoolFiles, ofFiles, ({ params, body }) =>
        pools.putPoolFiles(context, clusterIn(params), params.pool, body),
    );
    serve(app, operations.getPoolFiles, operator, ({ params }) =>
        pools.readPoolFiles(context, clusterIn(params), params.pool),
    );
    serve(app, operations.deletePoolFiles, operator, ({ params }) =>
        pools.deletePoolFiles(context, clusterIn(params), params.pool),
    );
}

function bundleRoutes(app: App, context: Context): void {
    serve(app, operations.putBundle, ofFiles, ({ params, body }) =>
        bundles.putNodeBundle(context, clusterIn(params), params.slot, body),
    );
    serve(app, operations.getBundle, operator, ({ params }) =>
        bundles.readNodeBundle(context, clusterIn(params), params.slot),
    );
    serve(app, operations.deleteBundle, operator, ({ params }) =>
        bundles.deleteNodeBundle(context, clusterIn(params), params.slot),
    );
}

/** What programs of contract number 1 ask. */
function formerRoutes(app: App, context: Context): void {
    const { putRoleFiles, getRoleFiles, deleteRoleFiles } = formerOperations;
    serve(app, putRoleFiles, { ...former, bodyLimit: bodyLimits.files }, ({ params, body }) =>
        pools.putPoolFiles(context, clusterIn(params), formerPoolOf(params.role), {
            ...body,
            role: params.role,
        }),
    );
    serve(app, getRoleFiles, former, ({ params }) =>
        pools.readPoolFiles(context, clusterIn(params), formerPoolOf(params.role)),
    );
    serve(app, deleteRoleFiles, former, ({ params }) =>
        pools.deletePoolFiles(context, clusterIn(params), formerPoolOf(params.role)),
    );
}
