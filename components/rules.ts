import { isIP } from "node:net";

import * as pulumi from "@pulumi/pulumi";

import {
    clusterSettings,
    defaultNetworks,
    defaultVersions,
    overlaps,
    parseNetwork,
    podNetworkNames,
    podNetworks,
    type ProgramName,
    removedFlagsOf,
    supportedMinor,
} from "../nodes";
import type { ExcloudK8sClusterArgs } from "./cluster-args";
import type { Rule } from "./field";
import { isRecord, shorten, show } from "./show";
import { controlPlaneSlots } from "./slots";

export const required: Rule = (value) => (value === undefined ? "is required" : undefined);

export function integer(minimum: number, maximum = Number.MAX_SAFE_INTEGER): Rule {
    const upTo = maximum === Number.MAX_SAFE_INTEGER ? "" : ` and at most ${maximum}`;
    return (value) =>
        Number.isSafeInteger(value) && Number(value) >= minimum && Number(value) <= maximum
            ? undefined
            : `is ${show(value)}; give a whole number, at least ${minimum}${upTo}`;
}

export function text(pattern: RegExp, example: string): Rule {
    return (value) =>
        typeof value === "string" && pattern.test(value)
            ? undefined
            : `is ${show(value)}; give a text such as ${example}`;
}

export function oneOf(...allowed: readonly unknown[]): Rule {
    return (value) =>
        allowed.includes(value)
            ? undefined
            : `is ${show(value)}; allowed are ${allowed.map(show).join(", ")}`;
}

export const boolean = oneOf(true, false);

export const instanceType = text(/^[^\s\p{Cc}]{1,100}$/u, `"t1a.medium"`);

export const sshPubkey = text(/^[^\p{Cc}]*$/u, `"ssh-ed25519 AAAA..."`);

export const podNetwork = oneOf(...podNetworkNames);

export const version = text(/^v\d+\.\d+\.\d+$/, `"${defaultVersions.kubernetes}"`);

/** Says nothing of the value: it is a key. */
export const apiKey: Rule = (value) =>
    typeof value === "string" && /^[\x21-\x7e]+$/.test(value)
        ? undefined
        : "is not an API key; give one line without spaces";

export const network: Rule = (value) =>
    typeof value === "string"
        ? tryTo(() => parseNetwork(value, ""))
        : `is ${show(value)}; give a text such as "10.0.0.0/8"`;

export const list: Rule = (value) =>
    Array.isArray(value) ? undefined : `is ${show(value)}; give a list`;

export const notEmpty: Rule = (value) =>
    (value as unknown[]).length > 0
        ? undefined
        : "is empty, so that nobody could reach the API server; leave it out, or name who may";

export const object: Rule = (value) =>
    isRecord(value) ? undefined : `is ${show(value)}; give an object`;

/** Flags of a program, of which some have gone. */
export function flags(program: ProgramName): Rule<ExcloudK8sClusterArgs> {
    return (value, { kubernetesVersion }) => {
        if (!isRecord(value)) {
            return `is ${show(value)}; give a map from flag name to value`;
        }
        const version =
            typeof kubernetesVersion === "string" ? kubernetesVersion : defaultVersions.kubernetes;
        const minor = tryTo(() => supportedMinor(version)) === undefined && supportedMinor(version);
        const removed = minor ? removedFlagsOf(program, minor) : [];
        return Object.keys(value)
            .map((name) => {
                if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
                    return `has the flag ${show(name)}; write flag names without dashes in front`;
                }
                return removed.includes(name)
                    ? `has the flag ${show(name)}, which ${program} no longer has; remove it`
                    : undefined;
            })
            .find((fault) => fault !== undefined);
    };
}

export const flagValue: Rule = (value) => {
    if (typeof value !== "string") {
        return `is ${show(value)}; give the flag's value as a text, such as "4" or "true"`;
    }
    return /\p{Cc}/u.test(value)
        ? `is ${show(value)}, which holds a line end or control character; give one line`
        : undefined;
};

/** What YAML can hold; what is known only later may be in it. */
export const json: Rule = (value) => {
    const fault = notJson(value, []);
    return fault === undefined ? undefined : `holds ${fault}; give plain JSON`;
};

function notJson(value: unknown, within: readonly unknown[]): string | undefined {
    if (pulumi.Output.isInstance(value) || value instanceof Promise) {
        return undefined;
    }
    if (typeof value !== "object" || value === null) {
        const isPlain =
            value === null ||
            typeof value === "string" ||
            typeof value === "boolean" ||
            Number.isFinite(value);
        return isPlain ? undefined : show(value);
    }
    if (within.includes(value)) {
        return "itself";
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
        return `an object that is not plain`;
    }
    return Object.values(value)
        .map((member) => notJson(member, [...within, value]))
        .find((fault) => fault !== undefined);
}

/** TLS only: it carries secrets and private keys. */
export const url: Rule = (value, args) =>
    text(/^https:\/\/[A-Za-z0-9.:[\]_~/-]*[^/]$/, `"https://bootstrap.example:8443"`)(
        value,
        args,
    ) ??
    (URL.canParse(String(value))
        ? undefined
        : `is ${show(value)}; give a text such as "https://bootstrap.example:8443"`);

export const certificatePem = text(/-----BEGIN CERTIFICATE-----/, "the PEM of a certificate");

/** Says nothing of the value: it may be a key. */
export const keyPem: Rule = (value) =>
    typeof value === "string" && /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(value)
        ? undefined
        : "is not the PEM of a private key; give one";

export function mirror(name: "binaries" | "images" | "charts" | "packages"): Rule {
    return (value) =>
        typeof value === "string"
            ? tryTo(() => clusterSettings({ mirrors: { [name]: value } }))
            : `is ${show(value)}; give a text such as "https://mirror.example"`;
}

const label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";

export const domain = text(new RegExp(`^(?=.{1,253}$)${label}(\\.${label})*$`), `"cluster.local"`);

/** A name, which may begin with a wildcard, or an address. */
export const subjectName: Rule = (value) =>
    typeof value === "string" &&
    (isIP(value) > 0 ||
        new RegExp(`^(?=.{1,253}$)(\\*\\.)?${label}(\\.${label})*$`, "i").test(value))
        ? undefined
        : `is ${show(value)}; give a text such as "api.example.com"`;

export function supportedVersion(value: unknown): string | undefined {
    return tryTo(() => clusterSettings({ versions: { kubernetes: String(value) } }));
}

export function apartFromPods(
    value: unknown,
    { podCidr }: ExcloudK8sClusterArgs,
): string | undefined {
    const pods = podCidr ?? defaultNetworks.podCidr;
    if (typeof pods !== "string" || tryTo(() => parseNetwork(pods, "")) !== undefined) {
        return undefined;
    }
    return overlaps(String(value), pods)
        ? `is ${show(value)}, which overlaps podCidr ${show(pods)}; choose networks that share no address`
        : undefined;
}

export function roomForServices(value: unknown): string | undefined {
    return parseNetwork(String(value), "").prefix > 24
        ? `is ${show(value)}, which is too small; give a /24 or a shorter prefix`
        : undefined;
}

export function roomForPods(
    value: unknown,
    { serviceCidr }: ExcloudK8sClusterArgs,
): string | undefined {
    if (parseNetwork(String(value), "").prefix > 22) {
        return `is ${show(value)}, which is too small: each node takes a /24; give a /22 or a shorter prefix`;
    }
    return serviceCidr === undefined && overlaps(String(value), defaultNetworks.serviceCidr)
        ? `is ${show(value)}, which overlaps serviceCidr ${show(defaultNetworks.serviceCidr)}; choose networks that share no address`
        : undefined;
}

export function joinsAllNodes(
    value: unknown,
    { controlPlaneCount = 1 }: ExcloudK8sClusterArgs,
): string | undefined {
    const others = podNetworkNames.filter((name) => !podNetworks[name].singleNodeOnly);
    const joinsOneNode = podNetworkNames.some((name) => name === value && !others.includes(name));
    return joinsOneNode && controlPlaneCount === 3
        ? `is ${show(value)}, which joins the pods of one node only; with ${controlPlaneCount} nodes use ${others.map(show).join(" or ")}`
        : undefined;
}

export function shorterThanValidity(
    value: unknown,
    { certificates }: ExcloudK8sClusterArgs,
): string | undefined {
    const validity = certificates?.validityDays ?? 365;
    return Number.isInteger(validity) && (value as number) >= validity
        ? `is ${show(value)}, not less than validityDays (${validity}): every up would renew`
        : undefined;
}

export function knownAndSingle(value: unknown, args: ExcloudK8sClusterArgs): string | undefined {
    const { controlPlaneCount = 1 } = args;
    if (oneOf(1, 3)(controlPlaneCount, args) !== undefined) {
        return undefined; // a fault of its own
    }
    const nodes = value as string[];
    const known = controlPlaneSlots(args);
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

export function forOwnGroup(value: unknown, args: ExcloudK8sClusterArgs): string | undefined {
    return (args.securityGroupIds?.length ?? 0) > 0
        ? `is ${show(value)}, beside securityGroupIds: give one of them`
        : undefined;
}

export function vmsOfNodes(value: unknown, args: ExcloudK8sClusterArgs): string | undefined {
    if (oneOf(1, 3)(args.controlPlaneCount ?? 1, args) !== undefined) {
        return undefined; // a fault of its own
    }
    const known = controlPlaneSlots(args);
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
            ? `is not valid: ${shorten(error.message.replace(/^: /, ""))}`
            : "is not valid";
    }
}
