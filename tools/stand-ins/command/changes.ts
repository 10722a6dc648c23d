import { isDeepStrictEqual } from "node:util";

import type { Properties } from "../plugin/properties";
import type { Difference, Kept } from "../plugin/provider";

/**
 * Compares inputs. Changed triggers mean that all is done again, as a replacement unless there is a command
 * for updates.
 */
export function changesOf(
    names: readonly string[],
    { inputs: old }: Kept,
    inputs: Properties,
): Difference {
    const changed = names.filter(
        (name) => !isDeepStrictEqual(old[name] ?? undefined, inputs[name] ?? undefined),
    );
    const hasUpdate = (inputs["update"] ?? undefined) !== undefined;
    return { changed, replacing: changed.filter((name) => name === "triggers" && !hasUpdate) };
}
