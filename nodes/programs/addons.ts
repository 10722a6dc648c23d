import { fixed, script, unit } from "../file";
import { kubeconfigFile } from "../kubeconfig";
import { podNetworks } from "../network";
import { clusterEnvPath, localApiEndpoint, paths } from "../paths";
import { program } from "../program";

const scriptName = "exk8s-install-cluster-addons.sh";

/** Installs what every cluster has: rights, pod network, kube-proxy, DNS. */
export const addons = program({
    name: "addons",
    files: [
        fixed(`${paths.manifests}/rbac.yaml`, "addons/rbac.yaml"),
        script("addons", scriptName),
        unit("addons", "exk8s-addons.service"),
        kubeconfigFile("admin", "exk8s-installer", localApiEndpoint),
    ],
    downloads: [
        {
            name: "kubectl",
            version: "kubernetes",
            address: "dl.k8s.io/VERSION/bin/linux/ARCH/kubectl",
            checksums: "dl.k8s.io/VERSION/bin/linux/ARCH/kubectl.sha256",
            target: "/usr/local/bin/kubectl",
            proof: "/usr/local/bin/kubectl",
        },
        {
            name: "helm",
            version: "helm",
            address: "get.helm.sh/helm-VERSION-linux-ARCH.tar.gz",
            checksums: "get.helm.sh/helm-VERSION-linux-ARCH.tar.gz.sha256sum",
            target: "/usr/local/bin",
            archive: { strip: 1, members: ["linux-ARCH/helm"] },
            proof: "/usr/local/bin/helm",
        },
    ],
    reactions: [
        {
            action: "addons",
            to: [
                clusterEnvPath,
                ...Object.values(podNetworks).flatMap(({ addonFiles }) =>
                    addonFiles.map(({ path }) => path),
                ),
                `${paths.manifests}/*.yaml`,
                `${paths.bin}/${scriptName}`,
            ],
        },
    ],
});
