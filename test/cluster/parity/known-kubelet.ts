import type { Difference, Reasoned } from "./support/differences";

type Known = readonly (Difference & Reasoned)[];

/** Every difference of the kubelet's configuration we mean. */
export const knownKubeletFields: Known = [
];

/** Every difference of the kubelet's flags we mean. */
export const knownKubeletFlags: Known = [
];
