import type { Bundle } from "#contract/bundle";

/** What a check looks at: a bundle, and the address of the node that got it. */
export interface Subject {
    readonly bundle: Bundle;
    readonly address: string;
}

/** The phase of a boot in which a real node would stumble. */
export type CheckPhase = "bundle" | "install" | "etcd" | "kubelet" | "apiserver";

/**
 * One thing that must hold of a bundle. `reasons` names what is wrong so that a person finds it:
 * the file, what was seen, what was expected. No reason: it holds.
 */
export interface Check {
    readonly name: string;
    readonly phase: CheckPhase;
    readonly reasons: (subject: Subject) => Iterable<string>;
}
