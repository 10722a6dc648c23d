import { isDeepStrictEqual } from "node:util";

import { nameOf, type Step, typeOf } from "../cluster/harness";

// What a preview is about to change, in words: `update DnsRecord quickstart: values`.

/** One line for each of our resources that is not left as it is, sorted. */
export function changesIn(steps: readonly Step[]): string[] {
    return steps
        .filter(({ op, urn }) => op !== "same" && op !== "refresh" && urn.includes("/excloud-k8s:"))
        .map(({ op, urn, oldState, newState }) => {
            const which = op === "update" ? differences(oldState?.inputs, newState?.inputs) : [];
            const properties = which.length === 0 ? "" : `: ${which.join(", ")}`;
            return `${op} ${typeOf({ urn })} ${nameOf({ urn })}${properties}`;
        })
        .sort();
}

/** Paths of what differs, members of maps apart. */
function differences(old: unknown, wanted: unknown): string[] {
    if (!isMap(old) || !isMap(wanted)) {
        return [];
    }
    return [...new Set([...Object.keys(old), ...Object.keys(wanted)])]
        .filter((name) => !isDeepStrictEqual(old[name], wanted[name]))
        .flatMap((name) => {
            const below = differences(old[name], wanted[name]);
            return below.length === 0 ? [name] : below.map((path) => `${name}.${path}`);
        })
        .sort();
}

function isMap(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
