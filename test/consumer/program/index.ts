import * as pulumi from "@pulumi/pulumi";
import { ExcloudK8sCluster } from "excloud-k8s";

const config = new pulumi.Config();
const cluster = new ExcloudK8sCluster("prod", {
    controlPlaneImageId: 1,
    controlPlaneInstanceType: "t1a.medium",
    subnetId: 1,
    bootstrap: {
        operatorUrl: config.require("bootstrapUrl"),
        caPem: config.require("bootstrapCa"),
    },
});
export const kubeconfig = cluster.kubeconfig;
