import type * as pulumi from "@pulumi/pulumi";

import { defaultVersions } from "../templates";
import type { MirrorsArgs, PodNetwork } from "./cluster-args";
import {
    boolean,
    checkArgs,
    each,
    integer,
    mirror,
    network,
    object,
    oneOf,
    required,
    supported,
    text,
    type Rule,
    type Rules,
} from "./rules";

/** Bounds of waiting, in seconds. */
export interface ImageTimeoutsArgs {
    /** Until the builder runs. Default 300. */
    vmCreate?: number;
    /** Until the terminated builder is gone. Default 300. */
    vmDelete?: number;
    /** Until the stopped builder's disk is an image. Default 1800. */
    image?: number;
    /** After which the builder powers itself off, whatever happens. Default 7200. */
    builderLifetime?: number;
}

/** Arguments of a control-plane image. What it holds is what a cluster with the same arguments asks for. */
export interface ControlPlaneImageArgs {
    /** Image to start from: a stock Debian or Ubuntu. */
    baseImageId: pulumi.Input<number>;
    /** Instance type of the builder, for example `t1a.medium`. */
    instanceType: pulumi.Input<string>;
    /** Subnet of the builder. */
    subnetId: pulumi.Input<number>;
    /** Zone of the subnet. Default 1. */
    zoneId?: pulumi.Input<number>;
    /** Ranges from which Pulumi reaches the builder by SSH, for example `["203.0.113.7/32"]`. */
    sshAllowedCidrs: string[];
    /** Whether the builder gets a public IPv4 address, at which Pulumi then reaches it. Default true. */
    allocatePublicIpv4?: pulumi.Input<boolean>;
    /** Size of the image in GiB; a node's root volume is no smaller. Default 20. */
    rootVolumeSizeGib?: pulumi.Input<number>;
    /** As the clusters' own. Default: that of the versions catalog. */
    kubernetesVersion?: pulumi.Input<string>;
    /** As the clusters' own. Default `cilium`. */
    podNetwork?: PodNetwork;
    /** As the clusters' own: they decide which images Cilium's chart asks for. */
    ciliumValues?: Record<string, unknown>;
    /** As the clusters' own. */
    mirrors?: MirrorsArgs;
    timeouts?: ImageTimeoutsArgs;
}

const notEmpty: Rule<unknown> = (value) =>
    (value as unknown[]).length > 0
        ? undefined
        : 'is empty; give the range you bake from, such as "203.0.113.7/32"';

const rules: Rules<ControlPlaneImageArgs> = [
    ["baseImageId", required, integer(1)],
    ["instanceType", required, text(/^\S+$/, `"t1a.medium"`)],
    ["subnetId", required, integer(1)],
    ["zoneId", integer(1)],
    ["sshAllowedCidrs", required, each(network), notEmpty],
    ["allocatePublicIpv4", boolean],
    ["rootVolumeSizeGib", integer(10)],
    ["kubernetesVersion", text(/^v\d+\.\d+\.\d+$/, `"${defaultVersions.kubernetes}"`), supported],
    ["podNetwork", oneOf("cilium", "bridge", "none")],
    ["ciliumValues", object],
    ["mirrors", object],
    ["mirrors.binaries", mirror("binaries")],
    ["mirrors.images", mirror("images")],
    ["mirrors.charts", mirror("charts")],
    ["mirrors.packages", mirror("packages")],
    ["timeouts", object],
    ["timeouts.vmCreate", integer(1)],
    ["timeouts.vmDelete", integer(1)],
    ["timeouts.image", integer(1)],
    ["timeouts.builderLifetime", integer(60)],
];

/** @throws InvalidArgumentsError listing every fault of an image's arguments */
export function validateImageArgs(image: string, args: ControlPlaneImageArgs): void {
    checkArgs(`ControlPlaneImage "${image}"`, args, rules);
}
