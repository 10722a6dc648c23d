// Nodes without public addresses, in security groups that you keep elsewhere. Of these the nodes need:
//
//   in:   TCP 6443 from administrators and pods; everything from the other nodes
//   out:  the bootstrap server; the mirrors or, through a gateway of the subnet, the internet
//
// `pulumi up` itself reaches the bootstrap server only, never a node, so it works from outside.
//
//   npm install && pulumi stack init prod
//   pulumi config set --path 'securityGroupIds[0]' 7        and the rest of Pulumi.yaml
//   pulumi up

import * as pulumi from "@pulumi/pulumi";
import { ExcloudK8sCluster } from "excloud-k8s";

const config = new pulumi.Config();

const cluster = new ExcloudK8sCluster("private", {
    controlPlaneCount: 3,
    controlPlaneImageId: config.requireNumber("imageId"),
    controlPlaneInstanceType: "t1a.medium",
    subnetId: config.requireNumber("subnetId"),
    securityGroupIds: config.requireObject<number[]>("securityGroupIds"),
    allocatePublicIpv4: false,
    bootstrap: {
        operatorUrl: config.require("bootstrapUrl"),
        nodeUrl: config.get("bootstrapNodeUrl") ?? config.require("bootstrapUrl"),
        caPem: config.require("bootstrapCa"),
    },
    // A name that you give the API server yourself, such as that of a load balancer.
    extraSans: ["kubernetes.internal.example"],
});

export const nodes = cluster.controlPlaneAddresses;
export const kubeconfig = cluster.internalKubeconfig;
