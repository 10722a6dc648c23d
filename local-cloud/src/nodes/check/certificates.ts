import type { CheckPhase, Subject } from "./check";
import { componentFlags, yamlAt } from "./static-pods";

const pki = "/etc/exk8s/pki";
const kubeconfigs = "/etc/exk8s/kubeconfig";

/** The authorities by the file of their certificate. */
export const authorities = {
    cluster: `${pki}/ca.pem`,
    etcd: `${pki}/etcd-ca.pem`,
    frontProxy: `${pki}/front-proxy-ca.pem`,
} as const;

/** A certificate that a control plane must have, and what must be true of it. */
export interface ExpectedCertificate {
    readonly name: string;
    readonly phase: CheckPhase;
    /** Where certificate and key are: two files, or the user of a kubeconfig. */
    readonly location:
        | { readonly certificate: string; readonly key: string }
        | { readonly kubeconfig: string; readonly server: string };
    readonly authority: keyof typeof authorities;
    /** All of its extended key usages, sorted. */
    readonly usages: readonly ("client" | "server")[];
    /** Common name; absent where nobody reads it. */
    readonly commonName?: (subject: Subject) => string;
    /** Its groups; absent where nobody reads them. */
    readonly organizations?: readonly string[];
    /** Names that its peers dial, it may carry more; absent where it serves nobody. */
    readonly names?: (subject: Subject) => readonly string[];
}

const localApi = "https://127.0.0.1:7443";
const ownApi = "https://127.0.0.1:6443";

const inPki = (name: string): ExpectedCertificate["location"] => ({
    certificate: `${pki}/${name}.pem`,
    key: `${pki}/${name}-key.pem`,
});
const inKubeconfig = (name: string, server: string): ExpectedCertificate["location"] => ({
    kubeconfig: `${kubeconfigs}/${name}.kubeconfig`,
    server,
});

const etcdNames = ({ bundle, address }: Subject): string[] => [
    bundle.node_name,
    "localhost",
    "127.0.0.1",
    address,
];

/** The names by which nodes and pods reach an API server; others reach it by more. */
function apiServerNames(subject: Subject): string[] {
    const { bundle, address } = subject;
    return [
        bundle.node_name,
        "localhost",
        "127.0.0.1",
        address,
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        `kubernetes.default.svc.${clusterDomain(subject)}`,
        ...firstServiceAddress(subject),
    ];
}

function clusterDomain({ bundle }: Subject): string {
    const config = yamlAt(bundle, "/var/lib/kubelet/config.yaml") as
        { clusterDomain?: string } | null | undefined;
    return config?.clusterDomain ?? "cluster.local";
}

/** The address of the service `kubernetes`: the first one of the first service network. */
function firstServiceAddress({ bundle }: Subject): string[] {
    const ranges = componentFlags(bundle, "kube-apiserver").get("service-cluster-ip-range");
    const network = ranges?.split(",")[0]?.split("/")[0];
    if (network === undefined || !/^[\d.]+$/.test(network)) {
        return [];
    }
    const bytes = network.split(".").map(Number);
    return [[...bytes.slice(0, 3), (bytes[3] ?? 0) + 1].join(".")];
}

/** Every certificate of a control plane. Adding one is adding one entry. */
export const expectedCertificates: readonly ExpectedCertificate[] = [
    {
        name: "apiserver",
        phase: "apiserver",
        location: inPki("apiserver"),
        authority: "cluster",
        usages: ["server"],
        commonName: () => "kube-apiserver",
        organizations: [],
        names: apiServerNames,
    },
    {
        // Without a group: what it may do is bound to its name.
        name: "apiserver-kubelet-client",
        phase: "apiserver",
        location: inPki("apiserver-kubelet-client"),
        authority: "cluster",
        usages: ["client"],
        commonName: () => "kube-apiserver-kubelet-client",
        organizations: [],
    },
    {
        name: "apiserver-etcd-client",
        phase: "etcd",
        location: inPki("apiserver-etcd-client"),
        authority: "etcd",
        usages: ["client"],
        commonName: () => "kube-apiserver-etcd-client",
        organizations: [],
    },
    {
        name: "front-proxy-client",
        phase: "apiserver",
        location: inPki("front-proxy-client"),
        authority: "frontProxy",
        usages: ["client"],
        commonName: () => "front-proxy-client",
        organizations: [],
    },
    {
        // Server and client: members dial each other with it.
        name: "etcd-peer",
        phase: "etcd",
        location: inPki("etcd-peer"),
        authority: "etcd",
        usages: ["client", "server"],
        commonName: ({ bundle }) => bundle.node_name,
        organizations: [],
        names: etcdNames,
    },
    {
        name: "kubelet-server",
        phase: "kubelet",
        location: inPki("kubelet-server"),
        authority: "cluster",
        usages: ["server"],
        names: ({ bundle, address }) => [bundle.node_name, address],
    },
    {
        name: "kubelet",
        phase: "kubelet",
        location: inKubeconfig("kubelet", localApi),
        authority: "cluster",
        usages: ["client"],
        commonName: ({ bundle }) => `system:node:${bundle.node_name}`,
        organizations: ["system:nodes"],
    },
    {
        name: "controller-manager",
        phase: "apiserver",
        location: inKubeconfig("controller-manager", ownApi),
        authority: "cluster",
        usages: ["client"],
        commonName: () => "system:kube-controller-manager",
        organizations: [],
    },
    {
        name: "scheduler",
        phase: "apiserver",
        location: inKubeconfig("scheduler", ownApi),
        authority: "cluster",
        usages: ["client"],
        commonName: () => "system:kube-scheduler",
        organizations: [],
    },
    {
        name: "kube-proxy",
        phase: "apiserver",
        location: inKubeconfig("kube-proxy", localApi),
        authority: "cluster",
        usages: ["client"],
        commonName: () => "system:kube-proxy",
        organizations: [],
    },
    {
        name: "admin",
        phase: "apiserver",
        location: inKubeconfig("admin", localApi),
        authority: "cluster",
        usages: ["client"],
        commonName: () => "exk8s-installer",
        organizations: ["system:masters"],
    },
];
