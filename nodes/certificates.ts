import { etcdOwner, paths } from "./paths";

/** The certificate authorities. etcd and the front proxy trust nothing that another authority signed. */
export const authorities = [
    {
        name: "cluster-ca",
        description: "everything that talks to the Kubernetes API",
        input: "cluster",
        commonName: "kubernetes",
        path: `${paths.pki}/ca.pem`,
    },
    {
        name: "etcd-ca",
        description: "etcd members and their clients",
        input: "etcd",
        commonName: "etcd-ca",
        path: `${paths.pki}/etcd-ca.pem`,
    },
    {
        name: "front-proxy-ca",
        description: "the API server towards aggregated APIs",
        input: "frontProxy",
        commonName: "front-proxy-ca",
        path: `${paths.pki}/front-proxy-ca.pem`,
    },
] as const;

export type AuthorityName = (typeof authorities)[number]["name"];

/** What certificates of a cluster depend on. */
export interface ClusterNames {
    dnsName: string;
    clusterDomain: string;
    /** First address of the service network. */
    serviceClusterIp: string;
    extraSans: readonly string[];
}

/** What certificates of one node depend on. */
export interface NodeNames {
    nodeName: string;
    privateIpv4: string;
    privateIpv6: string;
    publicIpv4: string;
}

/** Where a certificate and its key are written on a node. */
interface CertificateFiles {
    certificate: string;
    key: string;
    owner: string;
}

interface Common {
    name: string;
    /** What it is for, in the words of documentation and errors. */
    description: string;
    authority: AuthorityName;
    organization?: string;
    usages: readonly ("server" | "client")[];
    /** Absent when the certificate lives only inside a kubeconfig. */
    files?: CertificateFiles;
}

/** A certificate that all nodes of the cluster share. */
export interface ClusterCertificate extends Common {
    scope: "cluster";
    commonName: string;
}

/** A certificate of one node. */
export interface NodeCertificate extends Common {
    scope: "node";
    readonly commonName: (nodeName: string) => string;
    /** Names and addresses it is valid for. */
    readonly subjectAltNames?: (node: NodeNames, cluster: ClusterNames) => string[];
}

const files = (name: string, owner = "root:root"): CertificateFiles => ({
    certificate: `${paths.pki}/${name}.pem`,
    key: `${paths.pki}/${name}-key.pem`,
    owner,
});
const loopback = ["localhost", "127.0.0.1"];

/** Certificates that are equal on all nodes. Subjects are kubeadm v1.35's but for the administrators. */
const ofCluster = [
    {
        name: "apiserver-kubelet-client",
        description: "the API server towards kubelets",
        authority: "cluster-ca",
        scope: "cluster",
        commonName: "kube-apiserver-kubelet-client",
        usages: ["client"],
        files: files("apiserver-kubelet-client"),
    },
    {
        name: "apiserver-etcd-client",
        description: "the API server towards etcd",
        authority: "etcd-ca",
        scope: "cluster",
        commonName: "kube-apiserver-etcd-client",
        usages: ["client"],
        files: files("apiserver-etcd-client"),
    },
    {
        name: "front-proxy-client",
        description: "the API server towards aggregated APIs",
        authority: "front-proxy-ca",
        scope: "cluster",
        commonName: "front-proxy-client",
        usages: ["client"],
        files: files("front-proxy-client"),
    },
    {
        name: "controller-manager",
        description: "the controller manager towards the API server",
        authority: "cluster-ca",
        scope: "cluster",
        commonName: "system:kube-controller-manager",
        usages: ["client"],
    },
    {
        name: "scheduler",
        description: "the scheduler towards the API server",
        authority: "cluster-ca",
        scope: "cluster",
        commonName: "system:kube-scheduler",
        usages: ["client"],
    },
    {
        name: "kube-proxy",
        description: "kube-proxy towards the API server",
        authority: "cluster-ca",
        scope: "cluster",
        commonName: "system:kube-proxy",
        usages: ["client"],
    },
    {
        name: "admin",
        description:
            "the installer of addons on control planes, and the way in when RBAC is broken",
        authority: "cluster-ca",
        scope: "cluster",
        commonName: "exk8s-installer",
        organization: "system:masters",
        usages: ["client"],
    },
    {
        name: "cluster-admin",
        description: "the user's administrator; bound by RBAC, so it can be taken away",
        authority: "cluster-ca",
        scope: "cluster",
        commonName: "cluster-admin",
        organization: "exk8s:cluster-admins",
        usages: ["client"],
    },
] as const satisfies readonly ClusterCertificate[];

/** Certificates that each control plane has of its own. */
const ofNode = [
    {
        name: "apiserver",
        description: "the API server towards its clients",
        authority: "cluster-ca",
        scope: "node",
        commonName: () => "kube-apiserver",
        usages: ["server"],
        subjectAltNames: (node: NodeNames, cluster: ClusterNames): string[] => [
            cluster.dnsName,
            node.nodeName,
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            `kubernetes.default.svc.${cluster.clusterDomain}`,
            ...loopback,
            "::1",
            node.privateIpv4,
            node.privateIpv6,
            node.publicIpv4,
            cluster.serviceClusterIp,
            ...cluster.extraSans,
        ],
        files: files("apiserver"),
    },
    {
        name: "etcd-peer",
        description: "etcd towards its clients and the other members",
        authority: "etcd-ca",
        scope: "node",
        commonName: (nodeName: string) => nodeName,
        usages: ["server", "client"],
        subjectAltNames: ({ nodeName, privateIpv4 }: NodeNames): string[] => [
            nodeName,
            ...loopback,
            "::1",
            privateIpv4,
        ],
        files: files("etcd-peer", etcdOwner),
    },
    {
        name: "kubelet-server",
        description: "the kubelet towards the API server",
        authority: "cluster-ca",
        scope: "node",
        commonName: (nodeName: string) => `system:node:${nodeName}`,
        organization: "system:nodes",
        usages: ["server"],
        subjectAltNames: ({ nodeName, privateIpv4, privateIpv6 }: NodeNames): string[] => [
            nodeName,
            privateIpv4,
            privateIpv6,
        ],
        files: files("kubelet-server"),
    },
    {
        name: "kubelet",
        description: "the kubelet towards the API server, as the node it is",
        authority: "cluster-ca",
        scope: "node",
        commonName: (nodeName: string) => `system:node:${nodeName}`,
        organization: "system:nodes",
        usages: ["client"],
    },
] as const satisfies readonly NodeCertificate[];

/** The key pair that signs service-account tokens; no certificate. */
export const serviceAccountFiles = {
    publicKey: `${paths.pki}/service-account.pem`,
    key: `${paths.pki}/service-account-key.pem`,
} as const;

export type ClusterCertificateName = (typeof ofCluster)[number]["name"];
export type NodeCertificateName = (typeof ofNode)[number]["name"];
export type CertificateName = ClusterCertificateName | NodeCertificateName;

/** Certificates that are equal on all nodes. */
export const clusterCertificates: readonly (ClusterCertificate & {
    readonly name: ClusterCertificateName;
})[] = ofCluster;

/** Certificates that each control plane has of its own. */
export const nodeCertificates: readonly (NodeCertificate & {
    readonly name: NodeCertificateName;
})[] = ofNode;

/** A certificate whose files are on nodes; the others are part of a kubeconfig. */
type FileName = Extract<
    (typeof ofCluster)[number] | (typeof ofNode)[number],
    { readonly files: object }
>["name"];

/** Where an authority, a certificate or its key is on a node. */
export const pem = {
    authority: (name: AuthorityName): string =>
        authorities.find((authority) => authority.name === name)!.path,
    certificate: (name: FileName): string => files(name).certificate,
    key: (name: FileName): string => files(name).key,
} as const;

/** A certificate's two files. */
export const pemFiles = (...names: FileName[]): string[] =>
    names.flatMap((name) => [pem.certificate(name), pem.key(name)]);
