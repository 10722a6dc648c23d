import type { RemovedFlags } from "./flags";

/** The version of everything a node installs, each as upstream writes its tag. */
export interface Versions {
    kubernetes: string;
    etcd: string;
    containerd: string;
    runc: string;
    cniPlugins: string;
    helm: string;
    cilium: string;
    coredns: string;
    pause: string;
}

/** Newest patches of the minors that the seed names. */
export const defaultVersions: Versions = {
    kubernetes: "v1.35.4",
    etcd: "v3.6.16",
    containerd: "v2.3.7",
    runc: "v1.4.3",
    cniPlugins: "v1.9.1",
    helm: "v3.19.5",
    cilium: "v1.19.3",
    coredns: "v1.14.7",
    pause: "3.10.1",
};

/** The programs whose flags a user may add to. */
export type Program =
    "kube-apiserver" | "kube-controller-manager" | "kube-scheduler" | "kubelet" | "etcd";

const removedBefore134: Readonly<Record<Program, RemovedFlags>> = {
    "kube-apiserver": [
        "insecure-port",
        "insecure-bind-address",
        "kubelet-https",
        "service-account-api-audiences",
        "target-ram-mb",
    ],
    "kube-controller-manager": [
        "address",
        "port",
        "deleting-pods-burst",
        "deleting-pods-qps",
        "enable-taint-manager",
        "experimental-cluster-signing-duration",
        "horizontal-pod-autoscaler-use-rest-clients",
        "pod-eviction-timeout",
        "register-retry-count",
        "volume-host-allow-local-loopback",
        "volume-host-cidr-denylist",
    ],
    "kube-scheduler": [
        "address",
        "port",
        "algorithm-provider",
        "lock-object-name",
        "lock-object-namespace",
        "policy-config-file",
        "policy-configmap",
        "policy-configmap-namespace",
        "use-legacy-policy-config",
    ],
    kubelet: [
        "cni-bin-dir",
        "cni-cache-dir",
        "cni-conf-dir",
        "container-runtime",
        "docker-endpoint",
        "experimental-bootstrap-kubeconfig",
        "image-pull-progress-deadline",
        "network-plugin",
        "network-plugin-mtu",
        "non-masquerade-cidr",
    ],
    etcd: ["enable-v2", "enable-v2v3", "proxy", "v2-deprecation"],
};

/** The Kubernetes minors we support, each with the flags its programs no longer know. */
export const supportedMinors: Readonly<Record<string, Readonly<Record<Program, RemovedFlags>>>> = {
    "1.34": removedBefore134,
    "1.35": {
        ...removedBefore134,
        // kubernetes/kubernetes#133779
        kubelet: [...removedBefore134.kubelet, "pod-infra-container-image"],
    },
};

/**
 * The minor of a Kubernetes version, `v1.35.4` gives `1.35`.
 *
 * @throws when it is no version, or of a minor we do not support
 */
export function supportedMinor(kubernetes: string): string {
    const minor = /^v(1\.\d+)\.\d+$/.exec(kubernetes)?.[1];
    if (minor === undefined || !(minor in supportedMinors)) {
        throw new Error(
            `kubernetesVersion: "${kubernetes}" is not supported; use a version v1.x.y of ` +
                `${Object.keys(supportedMinors).join(" or ")}, such as "${defaultVersions.kubernetes}".`,
        );
    }
    return minor;
}
