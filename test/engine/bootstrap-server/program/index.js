// A bootstrap server, and a cluster that it serves once that is asked for.
const pulumi = require("@pulumi/pulumi");
const { ExcloudBootstrapServer, ExcloudK8sCluster } = require("excloud-k8s");

const config = new pulumi.Config();
const server = new ExcloudBootstrapServer("bootstrap", {
    ...config.requireObject("server"),
    apiKey: process.env.EXCLOUD_API_KEY,
});
const cluster =
    config.getBoolean("withCluster") &&
    new ExcloudK8sCluster("quickstart", {
        ...config.requireObject("cluster"),
        bootstrap: server.connection,
    });
module.exports = {
    url: server.url,
    caPem: server.caPem,
    operatorToken: server.operatorToken,
    ...(cluster ? { name: cluster.name } : {}),
};
