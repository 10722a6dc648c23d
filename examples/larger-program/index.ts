// A platform of a network and a cluster, and an application in a program of its own, `application/`, that
// reads the kubeconfig from this stack. So an application can change each day without touching the cluster.
//
//   npm install && pulumi stack init prod
//   pulumi config set imageId 1        and the rest of Pulumi.yaml
//   pulumi up
//   cd application && npm install && pulumi stack init prod && pulumi up

import * as pulumi from "@pulumi/pulumi";
import { ExcloudK8sCluster } from "excloud-k8s";

import { Network } from "./network";

const config = new pulumi.Config();

const network = new Network("platform");

const cluster = new ExcloudK8sCluster("platform", {
    controlPlaneImageId: config.requireNumber("imageId"),
    controlPlaneInstanceType: "t1a.medium",
    subnetId: network.subnetId,
    bootstrap: {
        operatorUrl: config.require("bootstrapUrl"),
        caPem: config.require("bootstrapCa"),
    },
});

export const kubeconfig = cluster.kubeconfig;
export const internalKubeconfig = cluster.internalKubeconfig;
