import { setTimeout as sleep } from "node:timers/promises";

import { hasInstalledAddons, isReady, Progress, stepsOf } from "../provider/bootstrap/progress";
import { type BootstrapApi, makeContext } from "../provider/context";
import { type Cluster, clustersIn, exportedOf } from "./exported";
import { CommandError, type Pulumi } from "./pulumi";
import { configOf } from "./settings";
import { type ClusterStatus, describeStatus } from "./status-texts";

/** How the status is shown. */
export interface StatusFlags {
    readonly json?: boolean;
    /** Show each change until the nodes are ready. */
    readonly watch?: boolean;
}

/** Gives the bootstrap server of a cluster. */
export type BootstrapOf = (cluster: Cluster) => BootstrapApi;

/** Seconds between two looks. */
const pauseSeconds = 1;
/** A user waits: a server that does not answer is soon said to be silent. */
const retries = 1;

/**
 * Shows the clusters of a stack, as their bootstrap servers know them.
 *
 * @returns whether all are ready
 * @throws CommandError or ApiError when there is no cluster, or its server cannot be asked
 */
export async function status(
    pulumi: Pulumi,
    say: (line: string) => void,
    flags: StatusFlags = {},
): Promise<boolean> {
    const clusters = clustersIn(await exportedOf(pulumi));
    if (clusters.length === 0) {
        throw new CommandError("The stack holds no cluster yet. Next: `pulumi up`");
    }
    const context = makeContext(await configOf(pulumi));
    return showStatus(
        clusters,
        ({ bootstrap }) => context.bootstrap(bootstrap, retries),
        say,
        flags,
    );
}

/** Shows clusters. @returns whether all are ready */
export async function showStatus(
    clusters: readonly Cluster[],
    bootstrapOf: BootstrapOf,
    say: (line: string) => void,
    { json = false, watch = false }: StatusFlags = {},
): Promise<boolean> {
    if (watch) {
        await follow(clusters, bootstrapOf, say);
    }
    const statuses = await Promise.all(clusters.map((cluster) => statusOf(cluster, bootstrapOf)));
    if (json) {
        say(JSON.stringify(statuses, undefined, 2));
    } else {
        say(statuses.flatMap((one) => describeStatus(one, new Date())).join("\n"));
    }
    return statuses.every(({ ready }) => ready);
}

async function statusOf(cluster: Cluster, bootstrapOf: BootstrapOf): Promise<ClusterStatus> {
    const { nodes } = await bootstrapOf(cluster)("getStatus", { cluster_id: cluster.clusterId });
    const ready = nodes.some(hasInstalledAddons) && nodes.every((node) => isReady(node));
    return { ...cluster, nodes, ready };
}

/** Says each change until all nodes are ready. */
async function follow(
    clusters: readonly Cluster[],
    bootstrapOf: BootstrapOf,
    say: (line: string) => void,
): Promise<void> {
    const progress = new Progress("now");
    for (;;) {
        const statuses = await Promise.all(clusters.map((one) => statusOf(one, bootstrapOf)));
        const steps = statuses.flatMap(({ clusterName, nodes }) =>
            nodes.map((node) => {
                const name = clusters.length > 1 ? `${clusterName} ${node.slot}` : node.slot;
                return [name, stepsOf(node)] as const;
            }),
        );
        for (const line of progress.news(steps)) {
            say(line);
        }
        if (statuses.every(({ ready }) => ready)) {
            return;
        }
        await sleep(pauseSeconds * 1000);
    }
}
