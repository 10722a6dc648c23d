import type { Static } from "@sinclair/typebox";
import { askServer } from "../control/client";
import type { ClusterList } from "../routes/schemas";
import { printTable } from "./table";

/** Prints every cluster the server knows. */
export async function listClusters({ dataDir }: { dataDir: string }): Promise<void> {
    const { clusters } = await askServer<Static<typeof ClusterList>>(dataDir, {
        method: "GET",
        path: "/v1/clusters",
    });
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
    const query = force ? "" : "?only_silent=true";
    await askServer(dataDir, {
        method: "DELETE",
        path: `/v1/clusters/${encodeURIComponent(id)}${query}`,
    });
    console.log(
        `deleted cluster ${id}: its nodes are refused from now on, and the next pulumi up registers it anew. What is left of it in Excloud stays.`,
    );
}
