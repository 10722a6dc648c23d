import { pathOf } from "#contract/operation";
import { type ClusterList, operatorOperations } from "#contract/operator";

import { askServer } from "../control/client";
import { printTable } from "./table";

/** Prints every cluster the server knows. */
export async function listClusters({ dataDir }: { dataDir: string }): Promise<void> {
    const { method, path } = operatorOperations.listClusters;
    const { clusters } = await askServer<ClusterList>(dataDir, { method, path });
    printTable([
        ["ID", "NAME", "REGISTERED BY", "NODES", "ETCD", "LAST HEARD OF"],
        ...clusters.map((cluster) => [
            String(cluster.cluster_id),
            cluster.name,
            cluster.key,
            `${cluster.bound}/${cluster.slots}`,
            cluster.etcd_state,
            cluster.last_seen_at ?? "never",
        ]),
    ]);
}

/** Deletes what the server knows of a cluster; while its nodes report only when forced. */
export async function deleteCluster(
    id: string,
    { dataDir, force }: { dataDir: string; force?: true },
): Promise<void> {
    const path = pathOf(operatorOperations.deleteCluster, { cluster_id: id });
    const query = force ? "" : "?only_silent=true";
    await askServer(dataDir, { method: "DELETE", path: `${path}${query}` });
    console.log(
        `deleted cluster ${id}: its nodes are refused from now on, and the next pulumi up registers it anew. What is left of it in Excloud stays.`,
    );
}
