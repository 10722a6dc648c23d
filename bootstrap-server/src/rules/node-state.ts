import { isSilent } from "./rollout";

/** States of a node in the eyes of whoever watches it, the one most in need of attention first. */
export const nodeStates = [
    "failed",
    "silent",
    "unwell",
    "booting",
    "applying",
    "expected",
    "empty",
    "healthy",
] as const;
/**
 * State of a node: `empty` has no VM yet, `expected` has one that was not heard of yet, `failed` has
 * a phase that failed, `unwell` booted and is not healthy, `applying` does not run yet what it was
 * last given.
 */
export type NodeState = (typeof nodeStates)[number];

/** What the state of a node depends on. */
export interface NodeFacts {
    vm_id: number | null;
    booted: boolean;
    healthy: boolean;
    released_generation: string | null;
    reported_generation: string | null;
    last_seen_at: Date | null;
}

/** The state of a node, `hasFailed` when a phase of it failed and was not passed since. */
export function nodeState(node: NodeFacts, hasFailed: boolean, now: Date): NodeState {
    if (node.vm_id === null) {
        return "empty";
    }
    if (node.last_seen_at === null) {
        return "expected";
    }
    if (hasFailed) {
        return "failed";
    }
    if (isSilent(node.last_seen_at, now)) {
        return "silent";
    }
    if (!node.booted) {
        return "booting";
    }
    if (node.released_generation !== node.reported_generation) {
        return "applying";
    }
    return node.healthy ? "healthy" : "unwell";
}

/** The state of a set of nodes that most needs attention; undefined for no nodes. */
export function worstState(states: readonly NodeState[]): NodeState | undefined {
    return nodeStates.find((state) => states.includes(state));
}
