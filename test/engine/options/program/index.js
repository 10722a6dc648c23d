// A cluster with the options of Pulumi that the stack's configuration asks for.
const pulumi = require("@pulumi/pulumi");
const { ExcloudK8sCluster } = require("excloud-k8s");
// Not of the package's public part: what clusters make new secrets of.
const { RandomBytes } = require("../../../../dist/provider");

const config = new pulumi.Config();
const { name = "first", alias, ignoredOfVms, ...options } = config.getObject("options") ?? {};

/** Changes that virtual machines are to ignore. */
const ignoring = ({ type, props, opts }) =>
    type.endsWith(":VirtualMachine")
        ? { props, opts: pulumi.mergeOptions(opts, { ignoreChanges: ignoredOfVms }) }
        : undefined;

new ExcloudK8sCluster(name, config.requireObject("cluster"), {
    ...options,
    ...(alias === undefined ? {} : { aliases: [{ name: alias }] }),
    ...(ignoredOfVms === undefined ? {} : { transforms: [ignoring] }),
});

const drawn = config.getBoolean("draw") && new RandomBytes("drawn", { length: 32 });
module.exports = drawn ? { drawn: drawn.hex } : {};
