const pulumi = require("@pulumi/pulumi");
const { ExcloudK8sCluster } = require("excloud-k8s");

// A bad argument that becomes known only while the program runs.
const args = new pulumi.Config().requireObject("cluster");
new ExcloudK8sCluster("quickstart", { ...args, clusterDomain: pulumi.secret("-wrong-") });
