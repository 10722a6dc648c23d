import { sha256 } from "../../contract/manifest";
import { renderTemplate } from "../../templates/render";
import { file } from "../file";
import { kubeconfigFile, kubeconfigPath } from "../kubeconfig";
import { localApiEndpoint, paths } from "../paths";
import { program } from "../program";
import { mergedConfig } from "../values/config-object";
import type { ClusterSettings } from "../values/settings";

const image = ({ versions }: ClusterSettings) =>
    `registry.k8s.io/kube-proxy:${versions.kubernetes}`;

/** kube-proxy as a daemon set, with a kubeconfig of the node. */
export const kubeProxy = program({
    name: "kube-proxy",
    files: [
        file({
            path: `${paths.manifests}/kube-proxy.yaml`,
            needs: ["settings"],
            render: ({ settings }) => {
                const config = mergedConfig(
                    "kube-proxy/config.yaml",
                    { settings, paths },
                    settings.kubeProxyConfiguration,
                );
                return renderTemplate("kube-proxy/manifest.yaml", {
                    image: image(settings),
                    config,
                    configSha256: sha256(config),
                });
            },
        }),
        kubeconfigFile("kube-proxy", "system:kube-proxy", localApiEndpoint),
    ],
    images: (settings) => [image(settings)],
    reactions: [{ action: "pod:kube-proxy", to: [kubeconfigPath("kube-proxy")] }],
});
