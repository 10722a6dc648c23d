import * as pulumi from "@pulumi/pulumi";

import { ports, renderKubeconfig } from "../nodes";
import type { ClusterReadiness } from "../provider";
import type { ClusterPki } from "./pki/cluster-pki";

/**
 * The user's kubeconfig. It waits for the cluster by the readiness resource's id alone, which stays known
 * in the preview of an update, so that nothing built on it shows as changed.
 */
export function adminKubeconfig(
    clusterName: pulumi.Output<string>,
    host: pulumi.Input<string>,
    pki: ClusterPki,
    readiness: ClusterReadiness,
): pulumi.Output<string> {
    const admin = pki.certificates["cluster-admin"];
    if (admin === undefined) {
        throw new Error("the list of certificates has no cluster-admin");
    }
    return pulumi.secret(
        pulumi
            .all([
                clusterName,
                host,
                pki.authorities["cluster-ca"].certPem,
                admin.certPem,
                admin.keyPem,
                readiness.id,
            ])
            .apply(([cluster, address, caPem, certPem, keyPem]) =>
                renderKubeconfig({
                    clusterName: cluster,
                    caPem,
                    server: `https://${address}:${ports.apiServer}`,
                    userName: "cluster-admin",
                    certPem,
                    keyPem,
                }),
            ),
    );
}
