// One control plane, for development and small services. While it is down, so is the API.
//
//   npm install && pulumi stack init dev
//   pulumi config set imageId 1        and the rest of Pulumi.yaml
//   pulumi up
//   pulumi stack output kubeconfig --show-secrets > kubeconfig

import * as pulumi from "@pulumi/pulumi";
import { ExcloudK8sCluster, PodNetwork } from "excloud-k8s";

const config = new pulumi.Config();

const cluster = new ExcloudK8sCluster("single", {
    controlPlaneImageId: config.requireNumber("imageId"),
    controlPlaneInstanceType: "t1a.medium",
    subnetId: config.requireNumber("subnetId"),
    bootstrap: {
        operatorUrl: config.require("bootstrapUrl"),
        caPem: config.require("bootstrapCa"),
    },
    // Enough for the pods of one node, and lighter than Cilium, which a second node would need.
    podNetwork: PodNetwork.Bridge,
});

export const name = cluster.name;
export const kubeconfig = cluster.kubeconfig;
