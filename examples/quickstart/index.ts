import * as pulumi from "@pulumi/pulumi";
import { ExcloudK8sCluster, type ExcloudK8sClusterArgs } from "excloud-k8s";

// The arguments come from the stack's configuration, so that they can be tried out one by one:
//   pulumi config set --path cluster.controlPlaneCount 3
const args = new pulumi.Config().requireObject<ExcloudK8sClusterArgs>("cluster");

const cluster = new ExcloudK8sCluster("quickstart", args);

export const clusterId = cluster.clusterId;
export const name = cluster.name;
export const nodes = cluster.controlPlaneAddresses;
export const dnsName = cluster.controlPlaneDnsName;
export const dnsConfigured = cluster.dnsConfigured;
// The whole list is `cluster.certificateExpiry`.
export const nextExpiry = cluster.certificateExpiry.apply((ends) => Object.values(ends).sort()[0]);
export const kubeconfig = cluster.kubeconfig;
export const internalKubeconfig = cluster.internalKubeconfig;
