import type { ProgramName } from "../../../nodes";
import type { Reasoned } from "./support/differences";

/** A flag in which we differ from kubeadm; values of kubeadm's have our paths. */
export interface FlagDifference extends Reasoned {
    readonly program: ProgramName;
    readonly flag: string;
    readonly ours?: string;
    readonly kubeadm?: string;
}

const profiling =
    "CIS benchmark: profiles give away what a program works on; kubeadm leaves them on";
const ciliumPool = "Cilium hands out pods' addresses from a pool of its own";
const quickStart = "making the controllers' accounts takes seven seconds of a boot at the default";
const noSigner = "the key of an authority never lies on a node, so nothing on it can sign";

/** Every difference of flags we mean. The list is closed: the test allows 15. */
export const knownDifferences: readonly FlagDifference[] = [
    {
        program: "kube-apiserver",
        flag: "kubelet-certificate-authority",
        ours: "/etc/exk8s/pki/ca.pem",
        reason: "kubelets' certificates are verified; kubeadm's kubelets sign their own, so it cannot",
    },
    { program: "kube-apiserver", flag: "profiling", ours: "false", reason: profiling },
    {
        program: "kube-apiserver",
        flag: "shutdown-send-retry-after",
        ours: "true",
        reason: "it ends in seconds, and clients go to another one; kubeadm's waits for watches to end",
    },
    {
        program: "kube-controller-manager",
        flag: "allocate-node-cidrs",
        kubeadm: "true",
        reason: ciliumPool,
    },
    {
        program: "kube-controller-manager",
        flag: "cluster-cidr",
        kubeadm: "10.244.0.0/16",
        reason: ciliumPool,
    },
    {
        program: "kube-controller-manager",
        flag: "cluster-signing-cert-file",
        kubeadm: "/etc/exk8s/pki/ca.pem",
        reason: noSigner,
    },
    {
        program: "kube-controller-manager",
        flag: "cluster-signing-key-file",
        kubeadm: "/etc/kubernetes/pki/ca.key",
        reason: noSigner,
    },
    { program: "kube-controller-manager", flag: "kube-api-burst", ours: "200", reason: quickStart },
    { program: "kube-controller-manager", flag: "kube-api-qps", ours: "100", reason: quickStart },
    { program: "kube-controller-manager", flag: "profiling", ours: "false", reason: profiling },
    { program: "kube-scheduler", flag: "profiling", ours: "false", reason: profiling },
    {
        program: "etcd",
        flag: "data-dir",
        ours: "/var/lib/etcd/data",
        kubeadm: "/var/lib/etcd",
        reason: "below the folder that systemd makes for etcd's user, which only root can replace",
    },
    {
        program: "etcd",
        flag: "initial-cluster",
        kubeadm: "cp-1.cluster-42.internal=https://10.0.1.5:2380",
        reason: "ETCD_INITIAL_CLUSTER says it, written on the node: no rendered file names another node",
    },
    {
        program: "etcd",
        flag: "initial-cluster-token",
        ours: "exk8s-5-2a",
        reason: "members of two clusters in one subnet cannot take each other for their own",
    },
];
