import * as pulumi from "@pulumi/pulumi";

/**
 * The network of the platform. Put what makes yours here: Excloud's subnets are made by hand so far, and
 * the configuration says which one it is.
 */
export class Network extends pulumi.ComponentResource {
    readonly subnetId: pulumi.Output<number>;

    constructor(name: string, options?: pulumi.ComponentResourceOptions) {
        super("platform:index:Network", name, {}, options);
        this.subnetId = pulumi.output(new pulumi.Config().requireNumber("subnetId"));
        this.registerOutputs({ subnetId: this.subnetId });
    }
}
