import { defaultNetworks, defaultVersions, overlaps, parseNetwork } from "../templates";
import type { ExcloudK8sClusterArgs } from "./cluster-args";
import {
    boolean,
    checkArgs,
    domain,
    each,
    flags,
    integer,
    mirror,
    network,
    object,
    oneOf,
    required,
    show,
    supported,
    text,
    tryTo,
    url,
    type Rules,
} from "./rules";
import { slotsOf } from "./slots";

/** Every argument with its rule, by the argument's path. A rule sees plain values only. */
const rules: Rules<ExcloudK8sClusterArgs> = [
    ["controlPlaneCount", oneOf(1, 3)],
    ["controlPlaneImageId", required, integer(1)],
    ["controlPlaneInstanceType", required, text(/^\S+$/, `"t1a.medium"`)],
    ["subnetId", required, integer(1)],
    ["zoneId", integer(1)],
    ["securityGroupIds", each(integer(1))],
    ["apiServerAllowedCidrs", each(network)],
    ["allocatePublicIpv4", boolean],
    ["sshPubkey", text(/^[^\n]*$/, `"ssh-ed25519 AAAA..."`)],
    ["rootVolumeSizeGib", integer(10)],
    ["bootstrap", required, object],
    ["bootstrap.operatorUrl", required, url],
    ["bootstrap.nodeUrl", url],
    ["bootstrap.caPem", text(/-----BEGIN CERTIFICATE-----/, "the PEM of a certificate")],
    ["kubernetesVersion", text(/^v\d+\.\d+\.\d+$/, `"${defaultVersions.kubernetes}"`), supported],
    ["serviceCidr", network, apartFromPods, roomForServices],
    ["podCidr", network, roomForPods],
    ["clusterDomain", domain],
    ["podNetwork", oneOf("cilium", "bridge", "none"), singleNodeForBridge],
    ["dnsZone", domain],
    ["extraSans", each(text(/^[A-Za-z0-9.:*-]+$/, `"api.example.com"`))],
    ["apiServerExtraArgs", flags],
    ["controllerManagerExtraArgs", flags],
    ["schedulerExtraArgs", flags],
    ["etcdExtraArgs", flags],
    ["kubeletExtraArgs", flags],
    ["kubeletConfiguration", object],
    ["kubeProxyConfiguration", object],
    ["ciliumValues", object],
    ["certificates", object],
    ["certificates.authorities", object],
    ["certificates.keyAlgorithm", oneOf("ECDSA", "RSA")],
    ["certificates.validityDays", integer(1)],
    ["certificates.renewBeforeDays", integer(0), shorterThanValidity],
    ["mirrors", object],
    ["mirrors.binaries", mirror("binaries")],
    ["mirrors.images", mirror("images")],
    ["mirrors.charts", mirror("charts")],
    ["mirrors.packages", mirror("packages")],
    ["replaceNodes", each(text(/./, `"cp-1"`)), knownAndSingle],
    ["replaceWithoutQuorum", boolean],
    ["deletionProtection", boolean],
    ["adopt", object],
    ["adopt.securityGroupId", integer(1), forOwnGroup],
    ["adopt.controlPlaneVmIds", object, vmsOfNodes],
    ["timeouts", object],
    ["timeouts.vmCreate", integer(1)],
    ["timeouts.vmDelete", integer(1)],
    ["timeouts.ready", integer(1)],
];

/** @throws InvalidArgumentsError listing every fault of a cluster's arguments */
export function validateArgs(cluster: string, args: ExcloudK8sClusterArgs): void {
    checkArgs(`ExcloudK8sCluster "${cluster}"`, args, rules);
}

function apartFromPods(value: unknown, { podCidr }: ExcloudK8sClusterArgs): string | undefined {
    const pods = podCidr ?? defaultNetworks.podCidr;
    if (typeof pods !== "string" || tryTo(() => parseNetwork(pods, "")) !== undefined) {
        return undefined;
    }
    return overlaps(String(value), pods)
        ? `is ${show(value)}, which overlaps podCidr ${show(pods)}; choose networks that share no address`
        : undefined;
}

function roomForServices(value: unknown): string | undefined {
    return parseNetwork(String(value), "").prefix > 24
        ? `is ${show(value)}, which is too small; give a /24 or a shorter prefix`
        : undefined;
}

function roomForPods(value: unknown, { serviceCidr }: ExcloudK8sClusterArgs): string | undefined {
    if (parseNetwork(String(value), "").prefix > 22) {
        return `is ${show(value)}, which is too small: each node takes a /24; give a /22 or a shorter prefix`;
    }
    return serviceCidr === undefined && overlaps(String(value), defaultNetworks.serviceCidr)
        ? `is ${show(value)}, which overlaps serviceCidr ${show(defaultNetworks.serviceCidr)}; choose networks that share no address`
        : undefined;
}

function singleNodeForBridge(
    value: unknown,
    { controlPlaneCount = 1 }: ExcloudK8sClusterArgs,
): string | undefined {
    return value === "bridge" && controlPlaneCount === 3
        ? `is "bridge", which joins the pods of one node only; with ${controlPlaneCount} nodes use "cilium" or "none"`
        : undefined;
}

function shorterThanValidity(
    value: unknown,
    { certificates }: ExcloudK8sClusterArgs,
): string | undefined {
    const validity = certificates?.validityDays ?? 365;
    return Number.isInteger(validity) && (value as number) >= validity
        ? `is ${show(value)}, not less than validityDays (${validity}): every up would renew`
        : undefined;
}

function knownAndSingle(value: unknown, args: ExcloudK8sClusterArgs): string | undefined {
    const { controlPlaneCount = 1 } = args;
    if (oneOf(1, 3)(controlPlaneCount, args) !== undefined) {
        return undefined; // a fault of its own
    }
    const nodes = value as string[];
    const known = slotsOf(args);
    const stranger = nodes.find((node) => !known.includes(node));
    if (stranger !== undefined) {
        return `names ${show(stranger)}; the nodes are ${known.join(", ")}`;
    }
    if (nodes.length === 1 && controlPlaneCount === 1) {
        return "cannot be used with a single control plane: its etcd data would be lost with it";
    }
    return nodes.length > 1
        ? `names ${nodes.length} control planes; replace one per \`pulumi up\`, so that etcd keeps its quorum`
        : undefined;
}

function forOwnGroup(value: unknown, args: ExcloudK8sClusterArgs): string | undefined {
    return (args.securityGroupIds?.length ?? 0) > 0
        ? `is ${show(value)}, beside securityGroupIds: give one of them`
        : undefined;
}

function vmsOfNodes(value: unknown, args: ExcloudK8sClusterArgs): string | undefined {
    if (oneOf(1, 3)(args.controlPlaneCount ?? 1, args) !== undefined) {
        return undefined; // a fault of its own
    }
    const known = slotsOf(args);
    return Object.entries(value as object)
        .map(([node, id]) => {
            if (!known.includes(node)) {
                return `names ${show(node)}; the nodes are ${known.join(", ")}`;
            }
            const isId = integer(1)(id, args) === undefined;
            return isId ? undefined : `has ${show(id)} for ${node}; give the id of a VM`;
        })
        .find((fault) => fault !== undefined);
}
