import { defaultNetworks, defaultVersions } from "../../../../nodes";

/** The cluster and node that both kubeadm and we describe. */
export const scenario = {
    kubernetesVersion: defaultVersions.kubernetes,
    clusterId: 42,
    clusterName: "exk8s-5-2a",
    dnsName: "exk8s-5-2a.k8s.excloud.co.in",
    clusterDomain: "cluster.local",
    nodeName: "cp-1.cluster-42.internal",
    address: "10.0.1.5",
    ...defaultNetworks,
} as const;

/** Text of files by path. */
export type Files = Readonly<Record<string, string>>;

/** One file. @throws when it is not there */
export function fileAt(files: Files, path: string): string {
    const text = files[path];
    if (text === undefined) {
        throw new Error(`there is no ${path} among ${Object.keys(files).join(", ")}`);
    }
    return text;
}
