import type { Role } from "../names";

/** A node as the rollout gate sees it. */
export interface RolloutNode {
    slot: string;
    role: Role;
    /** Whether a VM is bound: a slot without one takes no part in a rollout. */
    bound: boolean;
    /** The generation the operator wants; null before the first bundle. */
    desired: string | null;
    /** The generation the node is being served; null before its first fetch. */
    released: string | null;
    /** The generation the node last reported as applied. */
    reported: string | null;
    /** Whether that report was healthy. */
    healthy: boolean;
    /** Whether this VM ever reported a generation applied and healthy; until then it boots. */
    booted: boolean;
}

/**
 * Whether a control plane is in flight: bound, and not known to run what it was released in good
 * health. A bound VM that was released nothing yet is a member that is missing, so it counts too.
 */
export function inFlight(node: RolloutNode): boolean {
    return (
        node.role === "control-plane" &&
        node.bound &&
        (node.released === null || node.released !== node.reported || !node.healthy)
    );
}

/**
 * The generation to serve a node now. The desired one when it boots (a first bundle disturbs
 * nobody), when it is a control plane in flight itself (a newer generation may be its cure), or when
 * no other control plane is in flight; else the one it was last released.
 * Returns null when there is none yet.
 */
export function generationToServe(
    node: RolloutNode,
    cluster: readonly RolloutNode[],
): string | null {
    if (node.desired === null || node.desired === node.released) return node.released;
    if (!node.booted || node.released === null || inFlight(node)) return node.desired;
    const blocked = cluster.some((other) => other.slot !== node.slot && inFlight(other));
    return blocked ? node.released : node.desired;
}
