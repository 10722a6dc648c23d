import { compareSlots } from "#contract/pools";
import type { Role } from "#contract/roles";

/** A node that its server has not heard of for so long counts as in flight, in milliseconds. */
export const silenceMs = 5 * 60 * 1000;

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
    /** When the gate last gave this VM a change; null while it has only what it booted with. */
    releasedAt: Date | null;
    /** The generation the node last reported as applied. */
    reported: string | null;
    /** Whether that report was healthy. */
    healthy: boolean;
    /** Whether this VM ever reported a generation applied and healthy; until then it boots. */
    booted: boolean;
    /** Whether nothing was heard of it for longer than `silenceMs`. */
    silent: boolean;
}

/**
 * Whether a node that was last heard of at `lastSeenAt` is silent; one never heard of boots. A time to
 * come is of a clock that has been set back since: it says no more than one long past.
 */
export function isSilent(lastSeenAt: Date | null, now: Date): boolean {
    if (lastSeenAt === null) {
        return false;
    }
    return Math.abs(now.getTime() - lastSeenAt.getTime()) > silenceMs;
}

/**
 * Whether a control plane is in flight: bound, and not known to run what it was released in good
 * health. A bound VM that was released nothing yet is a member that is missing, so it counts too,
 * and so does one that has fallen silent: what it last reported says nothing of it now.
 */
export function inFlight(node: RolloutNode): boolean {
    return (
        node.role === "control-plane" &&
        node.bound &&
        (node.released === null || node.released !== node.reported || !node.healthy || node.silent)
    );
}

/** Orders nodes by when they were last given a change; those never given one first, by slot. */
function compareReleases(a: RolloutNode, b: RolloutNode): number {
    const [first, second] = [a, b].map(({ releasedAt }) => releasedAt?.getTime() ?? -Infinity);
    return first === second ? compareSlots(a.slot, b.slot) : Number(first) - Number(second);
}

/**
 * The control plane a node waits for before it is given the desired generation; undefined when it
 * waits for nobody.
 *
 * - A node that boots waits for nobody: a first bundle disturbs nobody.
 * - A node that is well waits for any other control plane in flight.
 * - A control plane in flight waits for another one in flight that was given a change later than
 *   itself. Being unwell for a moment so lets no second node into a change, and the one that was
 *   given a change last waits for no other that was: a newer generation may be its cure.
 *
 * So a change is given to a running control plane only when each other one that was given one came
 * through its own: at most one at a time has a change that it has not reported in good health.
 * A node that is dead for good holds the others until another VM is bound to its slot.
 */
export function holderOf(
    node: RolloutNode,
    cluster: readonly RolloutNode[],
): RolloutNode | undefined {
    if (!node.bound || node.desired === null || node.desired === node.released) {
        return undefined;
    }
    if (!node.booted || node.released === null) {
        return undefined;
    }
    const latest = cluster
        .filter((other) => other.slot !== node.slot && inFlight(other))
        .sort(compareReleases)
        .at(-1);
    // The rule is for the moment it asks, when it is not silent.
    const mayPass =
        latest && inFlight({ ...node, silent: false }) && compareReleases(latest, node) < 0;
    return mayPass ? undefined : latest;
}

/**
 * The generation to serve a node now: the desired one unless another control plane holds it up, else
 * the one it was last released. Returns null when there is none yet.
 */
export function generationToServe(
    node: RolloutNode,
    cluster: readonly RolloutNode[],
): string | null {
    return node.desired === null || holderOf(node, cluster) ? node.released : node.desired;
}

/**
 * When a change given now counts as given: later than every other of the cluster, even when the
 * clock was set back, because the gate goes by the order.
 */
export function releaseTime(cluster: readonly RolloutNode[], now: Date): Date {
    const others = cluster.map(({ releasedAt }) => (releasedAt ? releasedAt.getTime() + 1 : 0));
    return new Date(Math.max(now.getTime(), ...others));
}
