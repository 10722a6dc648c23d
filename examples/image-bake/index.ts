// An image for control planes, in a stack of its own: clusters take it by its id when they want to.
//
//   npm install && pulumi stack init images
//   pulumi config set baseImageId 1        and the rest of Pulumi.yaml
//   pulumi up
//   pulumi stack output controlPlaneImageId

import * as pulumi from "@pulumi/pulumi";
import { ControlPlaneImage } from "excloud-k8s";

const config = new pulumi.Config();

const image = new ControlPlaneImage("control-plane", {
    baseImageId: config.requireNumber("baseImageId"),
    subnetId: config.requireNumber("subnetId"),
    instanceType: "t1a.medium",
    sshAllowedCidrs: [config.require("sshAllowedCidr")],
});

export const controlPlaneImageId = image.imageId;
export const contents = image.contents;
/** The bake script, to be run by hand elsewhere. */
export const script = image.script;
