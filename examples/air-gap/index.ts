// Nodes that reach no internet. All they download comes from mirrors:
//
//   binaries  a web server with upstream's hosts and paths below it, and upstream's checksum files:
//             https://mirror.example/dl.k8s.io/v1.35.3/bin/linux/amd64/kubelet
//   images    a registry that has every image under its upstream repository name
//   charts    an OCI registry, chart repository or folder on the nodes with Cilium's chart
//   packages  a mirror of the distribution
//
// A node lists what it needs in /etc/exk8s/config/downloads.tsv; `pulumi preview --diff` shows that file.
//
//   npm install && pulumi stack init prod
//   pulumi config set mirror mirror.example        and the rest of Pulumi.yaml
//   pulumi up

import * as pulumi from "@pulumi/pulumi";
import { ExcloudK8sCluster } from "excloud-k8s";

const config = new pulumi.Config();
const mirror = config.require("mirror");

const cluster = new ExcloudK8sCluster("sealed", {
    controlPlaneImageId: config.requireNumber("imageId"),
    controlPlaneInstanceType: "t1a.medium",
    subnetId: config.requireNumber("subnetId"),
    allocatePublicIpv4: false,
    bootstrap: {
        operatorUrl: config.require("bootstrapUrl"),
        caPem: config.require("bootstrapCa"),
    },
    mirrors: {
        binaries: `https://${mirror}`,
        images: `https://${mirror}`,
        charts: `oci://${mirror}/cilium/charts`,
        packages: `https://${mirror}/debian`,
    },
});

export const nodes = cluster.controlPlaneAddresses;
export const kubeconfig = cluster.internalKubeconfig;
