// The quickstart, as a program of an older release has it.
const pulumi = require("@pulumi/pulumi");
const { ExcloudK8sCluster } = require("excloud-k8s");

const cluster = new ExcloudK8sCluster("quickstart", new pulumi.Config().requireObject("cluster"));
module.exports = { name: cluster.name };
