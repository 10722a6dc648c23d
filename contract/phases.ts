/**
 * The phases that a node reports, in the order in which it passes them. `applied` is the agent's: a generation
 * is on the node, and what it changed was restarted.
 */
export const phases = [
    "userdata",
    "bundle",
    "install",
    "etcd",
    "kubelet",
    "apiserver",
    "node-ready",
    "addons",
    "applied",
] as const;
/** A phase of a node's boot, or `applied`. */
export type Phase = (typeof phases)[number];

/** The states of a phase. */
export const phaseStates = ["running", "done", "failed"] as const;
export type PhaseState = (typeof phaseStates)[number];
