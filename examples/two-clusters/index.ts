// Two clusters of one stack share nothing: each has its own authorities, nodes, group and names. Their
// networks for pods and Services differ, so that the two can be joined by routing one day.
//
//   npm install && pulumi stack init dev
//   pulumi config set imageId 1        and the rest of Pulumi.yaml
//   pulumi up

import * as pulumi from "@pulumi/pulumi";
import { ExcloudK8sCluster } from "excloud-k8s";

const config = new pulumi.Config();

const networks = {
    blue: { podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16" },
    green: { podCidr: "10.245.0.0/16", serviceCidr: "10.97.0.0/16" },
};

const clusters = Object.entries(networks).map(
    ([name, { podCidr, serviceCidr }]) =>
        new ExcloudK8sCluster(name, {
            controlPlaneImageId: config.requireNumber("imageId"),
            controlPlaneInstanceType: "t1a.medium",
            subnetId: config.requireNumber("subnetId"),
            bootstrap: {
                operatorUrl: config.require("bootstrapUrl"),
                caPem: config.require("bootstrapCa"),
            },
            podCidr,
            serviceCidr,
        }),
);

export const names = clusters.map((cluster) => cluster.name);
export const kubeconfigs = clusters.map((cluster) => cluster.kubeconfig);
