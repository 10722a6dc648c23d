import * as pulumi from "@pulumi/pulumi";
import { ControlPlaneImage } from "excloud-k8s";

// A stack of its own: clusters take the image by its id, when they want to.
//   pulumi config set baseImageId 1
//   pulumi config set subnetId 5
//   pulumi config set --path 'sshAllowedCidrs[0]' 203.0.113.7/32
const config = new pulumi.Config();

const image = new ControlPlaneImage("control-plane", {
    baseImageId: config.requireNumber("baseImageId"),
    subnetId: config.requireNumber("subnetId"),
    instanceType: config.get("instanceType") ?? "t1a.medium",
    sshAllowedCidrs: config.requireObject<string[]>("sshAllowedCidrs"),
});

export const controlPlaneImageId = image.imageId;
export const contents = image.contents;
/** The bake script, to be run by hand elsewhere. */
export const script = image.script;
