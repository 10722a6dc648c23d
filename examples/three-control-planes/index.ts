// Three control planes: any one of them may fail. Changes reach them one at a time.
//
//   npm install && pulumi stack init prod
//   pulumi config set imageId 1        and the rest of Pulumi.yaml
//   pulumi up
//   pulumi stack output kubeconfig --show-secrets > kubeconfig

import * as pulumi from "@pulumi/pulumi";
import { ExcloudK8sCluster } from "excloud-k8s";

const config = new pulumi.Config();

const cluster = new ExcloudK8sCluster("prod", {
    controlPlaneCount: 3,
    controlPlaneImageId: config.requireNumber("imageId"),
    controlPlaneInstanceType: "t1a.medium",
    subnetId: config.requireNumber("subnetId"),
    bootstrap: {
        operatorUrl: config.require("bootstrapUrl"),
        caPem: config.require("bootstrapCa"),
    },
    apiServerAllowedCidrs: config.requireObject<string[]>("administrators"),
    // `pulumi destroy` is refused until an `up` without it.
    deletionProtection: config.getBoolean("deletionProtection") ?? true,
});

export const name = cluster.name;
export const nodes = cluster.controlPlaneAddresses;
// The whole list is `cluster.certificateExpiry`.
export const nextExpiry = cluster.certificateExpiry.apply((ends) => Object.values(ends).sort()[0]);
export const kubeconfig = cluster.kubeconfig;
