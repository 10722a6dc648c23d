// An image, and a cluster of it once it is asked for.
const pulumi = require("@pulumi/pulumi");
const { ControlPlaneImage, ExcloudK8sCluster } = require("excloud-k8s");

const config = new pulumi.Config();
const image = new ControlPlaneImage("control-plane", config.requireObject("image"));
const cluster =
    config.getBoolean("withCluster") &&
    new ExcloudK8sCluster("quickstart", {
        ...config.requireObject("cluster"),
        controlPlaneImageId: image.imageId,
    });
module.exports = {
    imageId: image.imageId,
    contents: image.contents,
    ...(cluster ? { internalKubeconfig: cluster.internalKubeconfig } : {}),
};
