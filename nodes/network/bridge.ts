import { renderTemplate } from "../../templates/render";
import { file } from "../file";
import type { PodNetwork } from "./pod-network";

/** The bridge plugin of the CNI project, for a cluster of one node. */
export const bridge: PodNetwork = {
    files: [
        file({
            path: "/etc/cni/net.d/10-exk8s.conflist",
            needs: ["settings"],
            render: ({ settings }) => renderTemplate("network/bridge-cni.json", { settings }),
        }),
    ],
    addonFiles: [],
    nodeTaints: [],
    needsNodeCidrs: true,
    singleNodeOnly: true,
};
