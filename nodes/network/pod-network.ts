import type { NodeFile } from "../file";

/** A taint that kubelet registers its node with. */
interface Taint {
    readonly key: string;
    readonly value: string;
    readonly effect: "NoExecute" | "NoSchedule";
}

/** How pods reach each other. */
export interface PodNetwork {
    /** Files that every node has because of it. */
    readonly files: readonly NodeFile[];
    /** Files that it is installed with, where addons are installed. */
    readonly addonFiles: readonly NodeFile[];
    /** What keeps pods away until the network's own agent runs on the node. */
    readonly nodeTaints: readonly Taint[];
    /** Whether the controller manager gives each node its part of the pod network. */
    readonly needsNodeCidrs: boolean;
    /** Whether it joins the pods of one node only. */
    readonly singleNodeOnly: boolean;
}
