import { file } from "../file";
import { paths, ports } from "../paths";
import { mergedConfig } from "../values/config-object";
import type { PodNetwork } from "./pod-network";

/** Path of our Helm values of Cilium. */
export const ciliumValuesPath = `${paths.config}/cilium-values.yaml`;

/** Cilium, from its Helm chart. It has a pool of node networks of its own. */
export const cilium: PodNetwork = {
    files: [],
    addonFiles: [
        file({
            path: ciliumValuesPath,
            needs: ["settings"],
            render: ({ settings }) =>
                mergedConfig(
                    "network/cilium-values.yaml",
                    { settings, ports },
                    settings.ciliumValues,
                ),
        }),
    ],
    nodeTaints: [{ key: "node.cilium.io/agent-not-ready", value: "true", effect: "NoExecute" }],
    needsNodeCidrs: false,
    singleNodeOnly: false,
};
