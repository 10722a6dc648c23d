import type { PodNetworkName } from "../network/names";
import { defaultVersions, type Minor, supportedMinor, type Versions } from "../versions";
import { check, checkMirror, checkServerUrl } from "./check";
import { nthAddress, overlaps, parseNetwork } from "./cidr";
import type { ConfigObject } from "./config-object";
import type { ExtraArgs } from "./flags";

/** Where to download from instead of upstream; an empty text means upstream. */
export interface Mirrors {
    /** Base URL with upstream's host and path below it: `<base>/dl.k8s.io/v1.35.4/...`. */
    binaries: string;
    /** A registry that serves every image under its upstream repository name. */
    images: string;
    /** A registry of charts (`oci://...`), a chart repository (`https://...`) or a folder on the node. */
    charts: string;
    /** A mirror of the distribution's packages, as the address in an apt source line. */
    packages: string;
}

/** A bootstrap server that running nodes use instead of the one in their user data. */
export interface BootstrapServer {
    /** With https, without a slash at its end. */
    url: string;
    /** The CA that signs the server's certificate; empty for the public PKI. */
    caPem: string;
}

/** What a cluster's user may set; all optional, the defaults are those of `clusterSettings`. */
export interface ClusterSettingsArgs {
    /** Default: the catalog's. */
    versions?: Partial<Versions>;
    /** Default `cluster.local`. */
    clusterDomain?: string;
    /** IPv4. Default `10.96.0.0/12`. */
    serviceCidr?: string;
    /** IPv4; each node gets a /24 of it. Default `10.244.0.0/16`. */
    podCidr?: string;
    /** Default `cilium`. */
    cni?: PodNetworkName;
    apiServerExtraArgs?: ExtraArgs;
    controllerManagerExtraArgs?: ExtraArgs;
    schedulerExtraArgs?: ExtraArgs;
    etcdExtraArgs?: ExtraArgs;
    kubeletExtraArgs?: ExtraArgs;
    /** Merged over our KubeletConfiguration. */
    kubeletConfiguration?: ConfigObject;
    /** Merged over our KubeProxyConfiguration. */
    kubeProxyConfiguration?: ConfigObject;
    /** Merged over our Helm values of Cilium. */
    ciliumValues?: ConfigObject;
    mirrors?: Partial<Mirrors>;
    bootstrapServer?: BootstrapServer;
}

/** The settings of a cluster, complete, with what derives from them. All known at preview. */
export interface ClusterSettings {
    readonly versions: Versions;
    /** The Kubernetes minor, such as `1.35`. */
    readonly minor: Minor;
    readonly clusterDomain: string;
    readonly serviceCidr: string;
    readonly podCidr: string;
    /** Prefix length of one node's part of the pod network. */
    readonly podCidrMaskSize: number;
    /** Address of the `kubernetes` Service: the first of the service network. */
    readonly serviceClusterIp: string;
    /** Address of the cluster's DNS Service: the tenth. */
    readonly dnsServiceIp: string;
    readonly serviceAccountIssuer: string;
    readonly cni: PodNetworkName;
    readonly apiServerExtraArgs: ExtraArgs;
    readonly controllerManagerExtraArgs: ExtraArgs;
    readonly schedulerExtraArgs: ExtraArgs;
    readonly etcdExtraArgs: ExtraArgs;
    readonly kubeletExtraArgs: ExtraArgs;
    readonly kubeletConfiguration: ConfigObject;
    readonly kubeProxyConfiguration: ConfigObject;
    readonly ciliumValues: ConfigObject;
    readonly mirrors: Mirrors;
    readonly bootstrapServer: BootstrapServer | undefined;
}

/** Base URL of the cloud's instance metadata service. */
export const defaultImdsUrl = "http://imdsapi.excloud.in";

/** The cluster's networks when none are named. */
export const defaultNetworks = {
    serviceCidr: "10.96.0.0/12",
    podCidr: "10.244.0.0/16",
} as const;

/**
 * Completes a cluster's settings: defaults, the versions catalog, and the addresses that derive
 * from the networks.
 *
 * @throws when a network is not an IPv4 network, too small, or overlaps another; when the Kubernetes
 *   minor is not supported; when a URL, version or domain is malformed
 */
export function clusterSettings(args: ClusterSettingsArgs = {}): ClusterSettings {
    const versions: Versions = { ...defaultVersions, ...defined(args.versions ?? {}) };
    for (const [name, version] of Object.entries(versions) as [string, string][]) {
        check(`versions.${name}`, version, /^v?\d+\.\d+(\.\d+)?$/, "such as v1.2.3");
    }
    const clusterDomain = args.clusterDomain ?? "cluster.local";
    check("clusterDomain", clusterDomain, domainPattern, "a DNS name such as cluster.local");
    const serviceCidr = args.serviceCidr ?? defaultNetworks.serviceCidr;
    const podCidr = args.podCidr ?? defaultNetworks.podCidr;
    checkNetworks({ serviceCidr, podCidr });
    const mirrors: Mirrors = {
        binaries: "",
        images: "",
        charts: "oci://quay.io/cilium/charts",
        packages: "",
        ...defined(args.mirrors ?? {}),
    };
    for (const [name, url] of Object.entries(mirrors) as [string, string][]) {
        checkMirror(`mirrors.${name}`, url);
    }
    if (args.bootstrapServer !== undefined) {
        checkServerUrl("bootstrapServer.url", args.bootstrapServer.url);
    }
    return {
        versions,
        minor: supportedMinor(versions.kubernetes),
        clusterDomain,
        serviceCidr,
        podCidr,
        podCidrMaskSize: 24,
        serviceClusterIp: nthAddress(serviceCidr, 1, "serviceCidr"),
        dnsServiceIp: nthAddress(serviceCidr, 10, "serviceCidr"),
        serviceAccountIssuer: `https://kubernetes.default.svc.${clusterDomain}`,
        cni: args.cni ?? "cilium",
        apiServerExtraArgs: args.apiServerExtraArgs ?? {},
        controllerManagerExtraArgs: args.controllerManagerExtraArgs ?? {},
        schedulerExtraArgs: args.schedulerExtraArgs ?? {},
        etcdExtraArgs: args.etcdExtraArgs ?? {},
        kubeletExtraArgs: args.kubeletExtraArgs ?? {},
        kubeletConfiguration: args.kubeletConfiguration ?? {},
        kubeProxyConfiguration: args.kubeProxyConfiguration ?? {},
        ciliumValues: args.ciliumValues ?? {},
        mirrors,
        bootstrapServer: args.bootstrapServer,
    };
}

const domainPattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

function checkNetworks(named: { serviceCidr: string; podCidr: string }): void {
    const networks = Object.entries(named);
    for (const [name, cidr] of networks) {
        parseNetwork(cidr, name);
        for (const [otherName, other] of networks) {
            if (otherName > name && overlaps(cidr, other)) {
                throw new Error(
                    `${name} "${cidr}" overlaps ${otherName} "${other}"; choose networks that share no address.`,
                );
            }
        }
    }
    if (parseNetwork(named.podCidr, "podCidr").prefix > 22) {
        throw new Error(
            `podCidr: "${named.podCidr}" is too small, every node takes a /24 of it; use /22 or a shorter prefix.`,
        );
    }
}

/** The entries that have a value, so that an undefined one does not hide a default. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
    return Object.fromEntries(
        Object.entries(values).filter(([, value]) => value !== undefined),
    ) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
