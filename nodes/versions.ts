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

/** Newest patches of the minors that Excloud's own k8sapi guide names. Names of images depend on their order. */
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

/** The Kubernetes minors we support. */
export const supportedMinors = ["1.34", "1.35"] as const;
export type Minor = (typeof supportedMinors)[number];

/**
 * The minor of a Kubernetes version: `v1.35.4` is of `1.35`.
 *
 * @throws when it is not a version, or of a minor we do not support
 */
export function supportedMinor(kubernetes: string): Minor {
    const text = /^v(1\.\d+)\.\d+$/.exec(kubernetes)?.[1];
    const minor = supportedMinors.find((one) => one === text);
    if (minor === undefined) {
        throw new Error(
            `kubernetesVersion: "${kubernetes}" is not supported; use a version v1.x.y of ` +
                `${supportedMinors.join(" or ")}, such as "${defaultVersions.kubernetes}".`,
        );
    }
    return minor;
}
