import * as pulumi from "@pulumi/pulumi";

import {
    clusterSettings,
    defaultNetworks,
    defaultVersions,
    overlaps,
    parseNetwork,
} from "../templates";
import type { ExcloudK8sClusterArgs } from "./cluster-args";
import { slotsOf } from "./slots";

/** Says what is wrong with a value, or nothing. */
type Rule = (value: unknown, args: ExcloudK8sClusterArgs) => string | undefined;

const required: Rule = (value) => (value === undefined ? "is required" : undefined);
const integer =
    (minimum: number): Rule =>
    (value) =>
        Number.isInteger(value) && (value as number) >= minimum
            ? undefined
            : `is ${show(value)}; give a whole number, at least ${minimum}`;
const text =
    (pattern: RegExp, example: string): Rule =>
    (value) =>
        typeof value === "string" && pattern.test(value)
            ? undefined
            : `is ${show(value)}; give a text such as ${example}`;
const oneOf =
    (...allowed: readonly unknown[]): Rule =>
    (value) =>
        allowed.includes(value)
            ? undefined
            : `is ${show(value)}; allowed are ${allowed.map(show).join(", ")}`;
const boolean = oneOf(true, false);
const network: Rule = (value) => tryTo(() => parseNetwork(String(value), "").prefix);
const each =
    (rule: Rule): Rule =>
    (value, args) =>
        Array.isArray(value)
            ? value.map((item) => rule(item, args)).find((fault) => fault !== undefined)
            : `is ${show(value)}; give a list`;
const flags: Rule = (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.keys(value)
              .filter((name) => !/^[a-z0-9][a-z0-9-]*$/.test(name))
              .map(
                  (name) => `has the flag ${show(name)}; write flag names without dashes in front`,
              )[0]
        : `is ${show(value)}; give a map from flag name to value`;
const object: Rule = (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
        ? undefined
        : `is ${show(value)}; give an object`;
const url = text(/^https:\/\/[A-Za-z0-9.:[\]_~/-]*[^/]$/, `"https://bootstrap.example:8443"`);
const mirror =
    (name: "binaries" | "images" | "charts" | "packages"): Rule =>
    (value) =>
        tryTo(() => clusterSettings({ mirrors: { [name]: value } }));
const domain = text(
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
    `"cluster.local"`,
);

/** Every argument with its rule, by the argument's path. A rule sees plain values only. */
const rules: readonly (readonly [path: string, ...rules: Rule[]])[] = [
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

/** Bad arguments of a cluster, all of them. Shown without a stack trace. */
export class InvalidArgumentsError extends pulumi.RunError {
    constructor(
        cluster: string,
        readonly faults: readonly string[],
    ) {
        super(
            [
                `ExcloudK8sCluster "${cluster}": ${faults.length} of its arguments cannot be used, ` +
                    "nothing was changed:",
                ...faults.map((fault) => `  ${fault}`),
            ].join("\n"),
        );
    }
}

/**
 * Checks all arguments whose values are known here, before any resource is made.
 *
 * @throws InvalidArgumentsError listing every fault: the argument, its value, what is allowed
 */
export function validateArgs(cluster: string, args: ExcloudK8sClusterArgs): void {
    const faults = rules.flatMap(([path, ...ruleList]) => {
        const value = valueAt(args, path);
        const isOptional = !ruleList.includes(required);
        if ((value === undefined && isOptional) || isOutputLike(value)) {
            return [];
        }
        // A rule may rely on those before it.
        for (const rule of ruleList) {
            const fault = rule(value, args);
            if (fault !== undefined) {
                return [`${path} ${fault}`];
            }
        }
        return [];
    });
    faults.push(...unknownNames(args).map((name) => `${name} is not an argument of a cluster`));
    if (faults.length > 0) {
        throw new InvalidArgumentsError(cluster, faults);
    }
}

/** Names that no rule knows, also within the groups of arguments. */
function unknownNames(args: ExcloudK8sClusterArgs): string[] {
    const paths: readonly string[] = rules.map(([path]) => path);
    const groups = new Set(
        paths.filter((path) => path.includes(".")).map((path) => path.split(".")[0] as string),
    );
    const names = Object.entries(args).flatMap(([name, value]: [string, unknown]) =>
        groups.has(name) && typeof value === "object" && value !== null && !isOutputLike(value)
            ? [name, ...Object.keys(value).map((inner) => `${name}.${inner}`)]
            : [name],
    );
    return names.filter((name) => !paths.includes(name));
}

function valueAt(args: ExcloudK8sClusterArgs, path: string): unknown {
    return path
        .split(".")
        .reduce<unknown>(
            (value, key) =>
                typeof value === "object" && value !== null
                    ? (value as Record<string, unknown>)[key]
                    : undefined,
            args,
        );
}

/** Whether a value, or a member of it, is known only later: then the cloud or the renderer judges it. */
function isOutputLike(value: unknown): boolean {
    return (
        pulumi.Output.isInstance(value) ||
        value instanceof Promise ||
        (Array.isArray(value) && value.some(isOutputLike))
    );
}

function supported(value: unknown): string | undefined {
    return tryTo(() => clusterSettings({ versions: { kubernetes: String(value) } }));
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

/** The message of what a check throws, as a fault. */
function tryTo(check: () => unknown): string | undefined {
    try {
        check();
        return undefined;
    } catch (error) {
        return error instanceof Error
            ? `is not valid: ${error.message.replace(/^: /, "")}`
            : "is not valid";
    }
}

function show(value: unknown): string {
    return JSON.stringify(value) ?? String(value);
}
