// An image whose builder is reached where the test's SSH server listens.
const pulumi = require("@pulumi/pulumi");
const { ControlPlaneImage } = require("excloud-k8s");

const config = new pulumi.Config();
const ssh = config.requireObject("ssh");

const throughTest = ({ type, props, opts }) =>
    type.startsWith("command:remote:")
        ? { props: { ...props, connection: reachedAt(props.connection) }, opts }
        : undefined;
const reachedAt = (connection) =>
    pulumi.output(connection).apply((given) => ({ ...given, ...ssh, dialErrorLimit: 2 }));

const image = new ControlPlaneImage("control-plane", config.requireObject("image"), {
    transforms: [throughTest],
});
module.exports = { imageId: image.imageId, script: image.script };
