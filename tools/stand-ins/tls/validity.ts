import { optionalNumber, type Properties } from "../plugin/properties";

const hourMs = 3_600_000;

/** The time a certificate is valid, whole seconds. */
export interface Validity {
    readonly start: Date;
    readonly end: Date;
}

/**
 * The validity that starts now.
 * @throws when `validityPeriodHours` is absent or negative
 */
export function validityFromNow(inputs: Properties): Validity {
    const hours = optionalNumber(inputs, "validityPeriodHours");
    if (hours === undefined || hours < 0) {
        throw new Error("validityPeriodHours must be a number of hours, zero or more");
    }
    const start = Math.floor(Date.now() / 1000) * 1000;
    return { start: new Date(start), end: new Date(start + hours * hourMs) };
}

/** A time as the provider writes it: RFC 3339 in whole seconds. */
export function rfc3339(time: Date): string {
    return time.toISOString().replace(/\.\d+Z$/, "Z");
}

/**
 * True once the certificate has expired or is within its early renewal period.
 * False for a resource that is no certificate.
 *
 * @param outputs of the existing certificate; its end counts
 * @param inputs of now; their `earlyRenewalHours` counts, as a longer one may make renewal due
 */
export function isReadyForRenewal(outputs: Properties, inputs: Properties): boolean {
    const end = outputs["validityEndTime"];
    if (typeof end !== "string") {
        return false;
    }
    const early = inputs["earlyRenewalHours"];
    const earlyHours = typeof early === "number" ? early : 0;
    return Date.now() >= Date.parse(end) - earlyHours * hourMs;
}
