import { matchesDigest, sha256 } from "../secrets";

/** Who may use the operator's routes, as the audit names it. */
export interface Operator {
    name: string;
}

/** Proves which operator a bearer token belongs to; undefined for a token that is not accepted. */
export interface OperatorVerifier {
    verify(token: string): Promise<Operator | undefined>;
}

/** How operators prove who they are. */
export const operatorModes = ["tokens", "jwt", "static"] as const;
/** Operator mode. */
export type OperatorMode = (typeof operatorModes)[number];

/** One token, known to the process alone: for development, nothing can revoke it but a restart. */
export function staticOperator(token: string): OperatorVerifier {
    const expected = sha256(token);
    return {
        verify: (presented) =>
            Promise.resolve(matchesDigest(presented, expected) ? { name: "static" } : undefined),
    };
}
