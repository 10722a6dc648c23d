import type * as pulumi from "@pulumi/pulumi";

import type { TimeoutsArgs } from "./cluster-args";
import { type Field, input, plain, plainItems, required } from "./field";
import * as is from "./rules";
import { checkArgs } from "./validate";

/** Bounds of waiting for a bootstrap server. */
export interface BootstrapServerTimeoutsArgs extends Pick<TimeoutsArgs, "vmCreate" | "vmDelete"> {
    /** Seconds from a VM that runs to a server that answers, 1 or more. Default 900. */
    ready?: number;
}

/** Arguments of a bootstrap server on a VM. */
export interface ExcloudBootstrapServerArgs {
    /** Image of the VM: a stock Debian or Ubuntu. */
    imageId: pulumi.Input<number>;
    /** Instance type of the VM, for example `t1a.small`. */
    instanceType: pulumi.Input<string>;
    /** Subnet of the VM. Nodes in it reach the server; those elsewhere by `allowedCidrs`. */
    subnetId: pulumi.Input<number>;
    /** Zone of the subnet. Default 1. */
    zoneId?: pulumi.Input<number>;
    /** API key with which the server asks Excloud who a node is. Kept as a secret. */
    apiKey: pulumi.Input<string>;
    /** Ranges that reach the server beside its subnet. Where you run Pulumi has to be within one of them. */
    allowedCidrs?: string[];
    /** Whether the VM gets a public IPv4 address, at which Pulumi then reaches it. Default true. */
    allocatePublicIpv4?: boolean;
    /** DNS name that you point at the server; it then stands in its URL and its certificate. Default: its address. */
    host?: string;
    /** Public SSH key of the VM, as text or the name of a stored key. Default: none. */
    sshPubkey?: pulumi.Input<string>;
    /** Size of the root volume in GiB, which holds the data. Default 20. */
    rootVolumeSizeGib?: pulumi.Input<number>;
    /** Version of the package `excloud-k8s-bootstrap`. Default: that of this package. */
    version?: string;
    /**
     * npm registry from which the VM gets Node.js and the server, without a slash at its end: what
     * `npm config get registry` says, where the VM reaches the same.
     */
    npmRegistry: string;
    /** Bounds of waiting. */
    timeouts?: BootstrapServerTimeoutsArgs;
}

const fields: readonly Field<ExcloudBootstrapServerArgs>[] = [
    input("imageId", [is.required, is.integer(1)], required),
    input("instanceType", [is.required, is.instanceType], required),
    input("subnetId", [is.required, is.integer(1)], required),
    input("zoneId", [is.integer(1)]),
    input("apiKey", [is.required, is.apiKey], required),
    plain("allowedCidrs", [is.list], plainItems(is.network)),
    plain("allocatePublicIpv4", [is.boolean]),
    plain("host", [is.domain]),
    input("sshPubkey", [is.sshPubkey]),
    input("rootVolumeSizeGib", [is.integer(10)]),
    plain("version", [is.text(/^\d+\.\d+\.\d+(-[\w.]+)?$/, `"0.1.0"`)]),
    plain(
        "npmRegistry",
        [is.required, is.text(/^https?:\/\/[^\s'"]*[^/\s'"]$/, `"https://npm.example"`)],
        required,
    ),
    plain("timeouts", [is.object]),
    plain("timeouts.vmCreate", [is.integer(1)]),
    plain("timeouts.vmDelete", [is.integer(1)]),
    plain("timeouts.ready", [is.integer(1)]),
];

/**
 * Checks the arguments of a server, see `checkArgs`.
 *
 * @throws InvalidArgumentsError listing every fault
 */
export const validateServerArgs = (
    server: string,
    args: ExcloudBootstrapServerArgs,
): ExcloudBootstrapServerArgs => checkArgs(`ExcloudBootstrapServer "${server}"`, args, fields);
