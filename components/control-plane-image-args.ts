import type * as pulumi from "@pulumi/pulumi";

import type { MirrorsArgs, PodNetwork } from "./cluster-args";
import { type Field, input, plain, plainItems, required, type Rule } from "./field";
import * as is from "./rules";
import { checkArgs } from "./validate";

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
    /** Bounds of waiting. */
    timeouts?: ImageTimeoutsArgs;
}

const notEmpty: Rule = (value) =>
    (value as unknown[]).length > 0
        ? undefined
        : 'is empty; give the range you bake from, such as "203.0.113.7/32"';

const fields: readonly Field<ControlPlaneImageArgs>[] = [
    input("baseImageId", [is.required, is.integer(1)], required),
    input("instanceType", [is.required, is.instanceType], required),
    input("subnetId", [is.required, is.integer(1)], required),
    input("zoneId", [is.integer(1)]),
    plain("sshAllowedCidrs", [is.required, is.list, notEmpty], {
        ...required,
        ...plainItems(is.network),
    }),
    input("allocatePublicIpv4", [is.boolean]),
    input("rootVolumeSizeGib", [is.integer(10)]),
    input("kubernetesVersion", [is.version, is.supportedVersion]),
    plain("podNetwork", [is.podNetwork]),
    plain("ciliumValues", [is.object, is.json]),
    plain("mirrors", [is.object]),
    plain("mirrors.binaries", [is.mirror("binaries")]),
    plain("mirrors.images", [is.mirror("images")]),
    plain("mirrors.charts", [is.mirror("charts")]),
    plain("mirrors.packages", [is.mirror("packages")]),
    plain("timeouts", [is.object]),
    plain("timeouts.vmCreate", [is.integer(1)]),
    plain("timeouts.vmDelete", [is.integer(1)]),
    plain("timeouts.image", [is.integer(1)]),
    plain("timeouts.builderLifetime", [is.integer(60)]),
];

/**
 * Checks the arguments of an image, see `checkArgs`.
 *
 * @throws InvalidArgumentsError listing every fault
 */
export const validateImageArgs = (
    image: string,
    args: ControlPlaneImageArgs,
): ControlPlaneImageArgs => checkArgs(`ControlPlaneImage "${image}"`, args, fields);
