// A bootstrap server, in a stack of its own: it outlives the clusters that it helps to make and to change.
//
//   npm install && pulumi stack init bootstrap
//   pulumi config set --secret serverApiKey        and the rest of Pulumi.yaml
//   pulumi up
//
// That ends when the server answers. Whoever runs a cluster's program then sets
//
//   export EXCLOUD_BOOTSTRAP_TOKEN="$(pulumi stack output operatorToken --show-secrets)"
//
// and the program says where the server is:
//
//   const server = new pulumi.StackReference("organization/bootstrap-server/bootstrap");
//   bootstrap: {
//       operatorUrl: server.requireOutput("operatorUrl"),
//       nodeUrl: server.requireOutput("nodeUrl"),
//       caPem: server.requireOutput("caPem"),
//   },

import * as pulumi from "@pulumi/pulumi";
import { ExcloudBootstrapServer } from "excloud-k8s";

const config = new pulumi.Config();

const server = new ExcloudBootstrapServer("bootstrap", {
    imageId: config.requireNumber("imageId"),
    instanceType: "t1a.small",
    subnetId: config.requireNumber("subnetId"),
    apiKey: config.requireSecret("serverApiKey"),
    npmRegistry: config.require("npmRegistry"),
    allowedCidrs: [config.require("allowedCidr")],
});

export const { operatorUrl, nodeUrl, caPem } = server.connection;
export const operatorToken = server.operatorToken;
