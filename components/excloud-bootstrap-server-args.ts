import type * as pulumi from "@pulumi/pulumi";

import type { TimeoutsArgs } from "./cluster-args";
import {
    boolean,
    checkArgs,
    domain,
    each,
    integer,
    network,
    object,
    required,
    text,
    type Rules,
} from "./rules";

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
    /** Ranges that reach the server beside its subnet: from where you run Pulumi, for example. */
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
    /** npm registry from which Node.js and the server come. Default: the public one. */
    npmRegistry?: string;
    timeouts?: Pick<TimeoutsArgs, "vmCreate" | "vmDelete">;
}

const rules: Rules<ExcloudBootstrapServerArgs> = [
    ["imageId", required, integer(1)],
    ["instanceType", required, text(/^\S+$/, `"t1a.small"`)],
    ["subnetId", required, integer(1)],
    ["zoneId", integer(1)],
    ["apiKey", required, (value) => (value === "" ? "is empty; give an API key" : undefined)],
    ["allowedCidrs", each(network)],
    ["allocatePublicIpv4", boolean],
    ["host", domain],
    ["sshPubkey", text(/^[^\n]*$/, `"ssh-ed25519 AAAA..."`)],
    ["rootVolumeSizeGib", integer(10)],
    ["version", text(/^\d+\.\d+\.\d+(-[\w.]+)?$/, `"0.1.0"`)],
    ["npmRegistry", text(/^https?:\/\/[^\s'"]*[^/\s'"]$/, `"https://npm.example"`)],
    ["timeouts", object],
    ["timeouts.vmCreate", integer(1)],
    ["timeouts.vmDelete", integer(1)],
];

/** @throws InvalidArgumentsError listing every fault of a server's arguments */
export function validateServerArgs(server: string, args: ExcloudBootstrapServerArgs): void {
    checkArgs(`ExcloudBootstrapServer "${server}"`, args, rules);
}
