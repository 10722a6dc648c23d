import type { Bundle } from "#contract/bundle";

import { certificateChecks } from "./certificate-checks";
import type { Check, CheckPhase } from "./check";
import { configurationChecks } from "./configuration";
import { fileChecks } from "./files";
import { integrityChecks } from "./integrity";
import { secretChecks } from "./secrets";

/** One thing that is wrong with a bundle. */
export interface Finding {
    readonly check: string;
    readonly phase: CheckPhase;
    readonly reason: string;
}

/** Everything that is checked of a bundle. Adding a check is adding an entry to one of the lists. */
export const checks: readonly Check[] = [
    ...integrityChecks,
    ...fileChecks,
    ...secretChecks,
    ...certificateChecks,
    ...configurationChecks,
];

/**
 * Everything that is wrong with a node's bundle; nothing when a real node would come up with it, as
 * far as can be told without running it.
 */
export function checkBundle(bundle: Bundle, address: string): Finding[] {
    return checks.flatMap(({ name, phase, reasons }) =>
        [...reasons({ bundle, address })].map((reason) => ({ check: name, phase, reason })),
    );
}
