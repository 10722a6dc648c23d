import type { PodNetwork } from "./pod-network";

/** A network that the cluster's owner installs. */
export const none: PodNetwork = {
    files: [],
    addonFiles: [],
    nodeTaints: [],
    needsNodeCidrs: true,
    singleNodeOnly: false,
};
