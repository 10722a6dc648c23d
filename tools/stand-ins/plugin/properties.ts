/** Properties of a resource as they travel between engine and plugin: plain JSON. */
export type Properties = Readonly<Record<string, unknown>>;

/** The text that stands for a value that is not known yet during a preview. */
export const UNKNOWN_VALUE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** True when the value is unknown or holds something unknown. */
export function isUnknown(value: unknown): boolean {
    if (typeof value === "object" && value !== null) {
        return Object.values(value).some(isUnknown);
    }
    return value === UNKNOWN_VALUE;
}

/**
 * A string property, undefined when absent.
 * @throws when the value is of another type; the message names the property and never its value
 */
export function optionalString(properties: Properties, name: string): string | undefined {
    return optional(properties, name, "string", (value) => typeof value === "string");
}

/** A number property, undefined when absent. @throws as {@link optionalString} */
export function optionalNumber(properties: Properties, name: string): number | undefined {
    return optional(properties, name, "number", (value) => typeof value === "number");
}

/** A boolean property, undefined when absent. @throws as {@link optionalString} */
export function optionalFlag(properties: Properties, name: string): boolean | undefined {
    return optional<boolean>(properties, name, "boolean", (value) => typeof value === "boolean");
}

/** A boolean property, false when absent. @throws as {@link optionalString} */
export function flag(properties: Properties, name: string): boolean {
    return optionalFlag(properties, name) ?? false;
}

/** A list of strings, empty when absent. @throws as {@link optionalString} */
export function stringList(properties: Properties, name: string): readonly string[] {
    return (
        optional<readonly string[]>(
            properties,
            name,
            "list of strings",
            (value) =>
                Array.isArray(value) && value.every((element) => typeof element === "string"),
        ) ?? []
    );
}

/** An object property, empty when absent. @throws as {@link optionalString} */
export function record(properties: Properties, name: string): Properties {
    return (
        optional<Properties>(
            properties,
            name,
            "object",
            (value) => typeof value === "object" && !Array.isArray(value),
        ) ?? {}
    );
}

/**
 * A string property that must be there.
 * @throws when it is absent or of another type
 */
export function requiredString(properties: Properties, name: string): string {
    const value = optionalString(properties, name);
    if (value === undefined) {
        throw new Error(`${name} is missing: give it to the resource`);
    }
    return value;
}

function optional<T>(
    properties: Properties,
    name: string,
    kind: string,
    fits: (value: unknown) => boolean,
): T | undefined {
    const value = properties[name];
    if (value === undefined || value === null) {
        return undefined;
    }
    if (!fits(value)) {
        throw new Error(`${name} must be a ${kind}, but a ${typeof value} was given`);
    }
    return value as T;
}
