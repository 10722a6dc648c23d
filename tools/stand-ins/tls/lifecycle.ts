import { isDeepStrictEqual } from "node:util";

import { isUnknown, type Properties } from "../plugin/properties";
import type { Difference, Failure } from "../plugin/provider";
import type { TlsResource } from "./resource";
import { isReadyForRenewal } from "./validity";

/** Inputs that are refused, with the reason; never with a value. */
export function failuresOf(resource: TlsResource, inputs: Properties): Failure[] {
    const present = Object.keys(inputs).filter((name) => isPresent(inputs[name]));
    return [
        ...resource.required
            .filter((property) => !present.includes(property))
            .map((property) => ({ property, reason: "it is missing: give it to the resource" })),
        ...present
            .filter((property) => resource.unsupported.includes(property))
            .map((property) => ({
                property,
                reason: "the stand-in for the tls plugin does not support it: use the official plugin",
            })),
        ...Object.entries(resource.choices).flatMap(([property, choices]) =>
            [inputs[property]]
                .flat()
                .filter((value) => isPresent(value) && !isUnknown(value))
                .filter((value) => !choices.includes(value as string))
                .map((value) => ({
                    property,
                    reason: `${JSON.stringify(value)} is not one of ${choices.join(", ")}`,
                })),
        ),
    ];
}

/**
 * Compares old and new *inputs* (outputs hold defaults). A certificate whose renewal is due is
 * replaced, whatever else changed.
 */
export function differenceOf(
    resource: TlsResource,
    old: { readonly inputs: Properties; readonly outputs: Properties },
    inputs: Properties,
): Difference {
    const changed = resource.inputs.filter(
        (name) => !isDeepStrictEqual(old.inputs[name] ?? undefined, inputs[name] ?? undefined),
    );
    const due = isReadyForRenewal(old.outputs, inputs) ? ["readyForRenewal"] : [];
    return {
        changed: [...changed, ...due],
        replacing: [...changed.filter((name) => !resource.updatable.includes(name)), ...due],
    };
}

/** Outputs as they are now: a certificate's readiness for renewal follows the clock. */
export function refreshedOutputs(outputs: Properties, inputs: Properties): Properties {
    return "readyForRenewal" in outputs
        ? { ...outputs, readyForRenewal: isReadyForRenewal(outputs, inputs) }
        : outputs;
}

/** Outputs after an update in place, which only {@link TlsResource.updatable} inputs can cause. */
export function updatedOutputs(
    resource: TlsResource,
    outputs: Properties,
    inputs: Properties,
): Properties {
    const updated = resource.updatable
        .filter((name) => isPresent(inputs[name]))
        .map((name) => [name, inputs[name]] as const);
    return refreshedOutputs({ ...outputs, ...Object.fromEntries(updated) }, inputs);
}

function isPresent(value: unknown): boolean {
    return value !== undefined && value !== null;
}
