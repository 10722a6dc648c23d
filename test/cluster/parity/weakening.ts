import type { Difference } from "./support/differences";

/*
 * When a difference weakens authentication, authorisation or TLS. Whatever is not listed here does,
 * whether this file knows the flag or not: a new difference has to be judged before a test passes.
 */

/** Flags and fields that say nothing of who is let in, what one may do or whom one believes. */
const indifferent: readonly string[] = [
    // kube-apiserver
    "shutdown-send-retry-after",
    // kube-controller-manager
    "allocate-node-cidrs",
    "cluster-cidr",
    "kube-api-burst",
    "kube-api-qps",
    // etcd: who is a member is proven by certificates
    "data-dir",
    "initial-cluster",
    // kubelet, flags
    "config-dir",
    "node-ip",
    // kubelet, configuration
    "failSwapOn",
    "registerWithTaints",
    "shutdownGracePeriod",
    "shutdownGracePeriodCriticalPods",
    "systemReserved",
];

/** Flags and fields that guard, and the one way of theirs that guards more. */
const guardsMore: Readonly<Record<string, (difference: Difference) => boolean>> = {
    // A check that kubeadm has not.
    "kubelet-certificate-authority": isAdded,
    "initial-cluster-token": isAdded,
    // A certificate that others can verify, where kubeadm has one that signs itself.
    tlsCertFile: isAdded,
    tlsPrivateKeyFile: isAdded,
    // A power that is not there.
    "cluster-signing-cert-file": isTakenAway,
    "cluster-signing-key-file": isTakenAway,
    "bootstrap-kubeconfig": isTakenAway,
    profiling: ({ ours }) => ours === "false",
    rotateCertificates: ({ ours }) => ours === "false",
};

function isAdded({ ours, kubeadm }: Difference): boolean {
    return ours !== undefined && kubeadm === undefined;
}

function isTakenAway({ ours, kubeadm }: Difference): boolean {
    return ours === undefined && kubeadm !== undefined;
}

/** Whether a difference makes authentication, authorisation or TLS weaker than kubeadm's. */
export function weakens(difference: Difference): boolean {
    // A field of a list or an object is judged by the whole.
    const [name = ""] = difference.name.split(".");
    return !indifferent.includes(name) && guardsMore[name]?.(difference) !== true;
}
