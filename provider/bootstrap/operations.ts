import { formerOperations, operatorOperations, publicOperations } from "../../contract/operator";
import type { Operations } from "../api/operation";

export type { NodeStatus, PhaseStatus } from "../../contract/operator";

/** A server of 0.1 is still read: a refresh is no change. */
const { getRoleFiles } = formerOperations;
const asked = { ...publicOperations, ...operatorOperations, getRoleFiles };

/** What the client of an API wants to know of an operation beside the contract. */
const ours = { service: "bootstrap", idempotent: true, confidence: "documented" } as const;

type BootstrapOperations = {
    readonly [N in keyof typeof asked]: (typeof asked)[N] & typeof ours;
};

/** What programs ask of a bootstrap server, as the contract says it. */
export const bootstrapOperations = Object.fromEntries(
    Object.entries(asked).map(([name, operation]) => [name, { ...operation, ...ours }]),
) as unknown as BootstrapOperations satisfies Operations;
