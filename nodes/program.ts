import type { Download } from "./downloads";
import type { NodeFile } from "./file";
import type { ProgramFlags } from "./program-flags";
import type { ClusterSettings } from "./values/settings";
import type { Values } from "./values/values";

/**
 * What the node agent does when files change: `restart:UNIT`; `pod:PROGRAM`, a new container of a static pod
 * or daemon set; `replaced:PROGRAM`, kubelet does so by itself and the agent waits for it; or a name of its own.
 */
export type Action =
    | `restart:${string}`
    | `pod:${string}`
    | `replaced:${string}`
    | "addons"
    | "balancer"
    | "daemon-reload"
    | "install";

/** An action and the files that ask for it when they change, as paths or shell patterns. */
export interface Reaction {
    readonly action: Action;
    readonly to: readonly string[];
}

/** The checks of a node's health: `exk8s_NAME_healthy` of the scripts' library. */
export type HealthCheck = "etcd" | "apiserver" | "kubelet";

/** Something that runs on nodes, with everything that belongs to it. */
export interface Program {
    readonly name: string;
    /** Files that a node has because of it. */
    readonly files: readonly NodeFile[];
    /** What is downloaded for it. */
    readonly downloads?: readonly Download[];
    /** Container images that it runs, as manifests name them. */
    readonly images?: (settings: ClusterSettings) => readonly string[];
    /** Whether kubelet runs it from a manifest on the node. */
    readonly isStaticPod?: boolean;
    /** Units that the boot enables. */
    readonly units?: readonly string[];
    /** What the agent does for it, in this order. */
    readonly reactions?: readonly Reaction[];
    /** Which flags users may add. */
    readonly extraArgs?: ProgramFlags;
    /** Its flags, ours and the user's, as `--name=value`. */
    readonly commandLine?: (values: Values) => string[];
    /** How the agent sees whether it is well. */
    readonly health?: HealthCheck;
}

/** Declares a program; its name becomes part of its type. */
export function program<const Name extends string>(
    declaration: Program & { readonly name: Name },
): Program & { readonly name: Name } {
    return declaration;
}
