import type { Difference, Reasoned } from "./support/differences";

/** A part of a certificate or key in which we differ from kubeadm. */
export interface CertificateDifference extends Difference, Reasoned {
    /** kubeadm's path of it. */
    readonly file: string;
}

const unnamed = "an authority serves nothing, so it needs no name to serve under";
const revoking = "an authority may sign lists of what it revoked, as of RFC 5280";
const ownAdministrators =
    "bound to cluster-admin like kubeadm's group, and as revocable, under a name of ours";
const rsa = "RS256 is the one signature that every verifier of such tokens outside knows";

/** The differences that each authority has. */
const ofAuthority = (file: string, name: string): readonly CertificateDifference[] => [
    { file, name: "names", ours: "", kubeadm: `dns:${name}`, reason: unnamed },
    {
        file,
        name: "usages",
        ours: "cRLSign digitalSignature keyCertSign",
        kubeadm: "digitalSignature keyCertSign",
        reason: revoking,
    },
];

const apiServerNames = [
    "dns:cp-1.cluster-42.internal",
    "dns:exk8s-5-2a.k8s.excloud.co.in",
    "dns:kubernetes",
    "dns:kubernetes.default",
    "dns:kubernetes.default.svc",
    "dns:kubernetes.default.svc.cluster.local",
    "ip:10.0.1.5",
    "ip:10.96.0.1",
];

/** Every difference of certificates we mean. */
export const knownCertificates: readonly CertificateDifference[] = [
    ...ofAuthority("/etc/kubernetes/pki/ca.crt", "kubernetes"),
    ...ofAuthority("/etc/kubernetes/pki/front-proxy-ca.crt", "front-proxy-ca"),
    ...ofAuthority("/etc/kubernetes/pki/etcd/ca.crt", "etcd-ca"),
    {
        file: "/etc/kubernetes/pki/apiserver.crt",
        name: "names",
        ours: [...apiServerNames, "dns:localhost", "ip:127.0.0.1", "ip:::1"].sort().join(" "),
        kubeadm: apiServerNames.join(" "),
        reason: "everything on a node reaches the API at the node's own balancer or server",
    },
    {
        file: "/etc/kubernetes/pki/apiserver-kubelet-client.crt",
        name: "organization",
        ours: "",
        kubeadm: "kubeadm:cluster-admins",
        reason: "bound to system:kubelet-api-admin by its name: kubelets, and no more of the API",
    },
    {
        file: "/etc/kubernetes/admin.conf",
        name: "commonName",
        ours: "cluster-admin",
        kubeadm: "kubernetes-admin",
        reason: ownAdministrators,
    },
    {
        file: "/etc/kubernetes/admin.conf",
        name: "organization",
        ours: "exk8s:cluster-admins",
        kubeadm: "kubeadm:cluster-admins",
        reason: ownAdministrators,
    },
    {
        file: "/etc/kubernetes/super-admin.conf",
        name: "commonName",
        ours: "exk8s-installer",
        kubeadm: "kubernetes-super-admin",
        reason: "audit logs tell the installer of addons from a person",
    },
];

/** Every difference of the service-account key pair we mean. */
export const knownKeys: readonly CertificateDifference[] = ["sa.key", "sa.pub"].map((name) => ({
    file: `/etc/kubernetes/pki/${name}`,
    name: "key",
    ours: "rsa 2048",
    kubeadm: "ec prime256v1",
    reason: rsa,
}));
