import * as pulumi from "@pulumi/pulumi";

import { clusterSettings, parseNetwork } from "../templates";

/** Says what is wrong with a value, or nothing. */
export type Rule<Args> = (value: unknown, args: Args) => string | undefined;

/** Rules of an argument by its path. A rule may rely on those before it. */
export type Rules<Args> = readonly (readonly [path: string, ...rules: Rule<Args>[]])[];

export const required: Rule<unknown> = (value) => (value === undefined ? "is required" : undefined);
export const integer =
    (minimum: number): Rule<unknown> =>
    (value) =>
        Number.isInteger(value) && (value as number) >= minimum
            ? undefined
            : `is ${show(value)}; give a whole number, at least ${minimum}`;
export const text =
    (pattern: RegExp, example: string): Rule<unknown> =>
    (value) =>
        typeof value === "string" && pattern.test(value)
            ? undefined
            : `is ${show(value)}; give a text such as ${example}`;
export const oneOf =
    (...allowed: readonly unknown[]): Rule<unknown> =>
    (value) =>
        allowed.includes(value)
            ? undefined
            : `is ${show(value)}; allowed are ${allowed.map(show).join(", ")}`;
export const boolean = oneOf(true, false);
export const network: Rule<unknown> = (value) =>
    tryTo(() => parseNetwork(String(value), "").prefix);
export const each =
    <Args>(rule: Rule<Args>): Rule<Args> =>
    (value, args) =>
        Array.isArray(value)
            ? value.map((item) => rule(item, args)).find((fault) => fault !== undefined)
            : `is ${show(value)}; give a list`;
export const flags: Rule<unknown> = (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.keys(value)
              .filter((name) => !/^[a-z0-9][a-z0-9-]*$/.test(name))
              .map(
                  (name) => `has the flag ${show(name)}; write flag names without dashes in front`,
              )[0]
        : `is ${show(value)}; give a map from flag name to value`;
export const object: Rule<unknown> = (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
        ? undefined
        : `is ${show(value)}; give an object`;
export const url = text(
    /^https:\/\/[A-Za-z0-9.:[\]_~/-]*[^/]$/,
    `"https://bootstrap.example:8443"`,
);
export const mirror =
    (name: "binaries" | "images" | "charts" | "packages"): Rule<unknown> =>
    (value) =>
        tryTo(() => clusterSettings({ mirrors: { [name]: value } }));
export const domain = text(
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
    `"cluster.local"`,
);

/** A Kubernetes version of a minor that is supported. */
export const supported: Rule<unknown> = (value) =>
    tryTo(() => clusterSettings({ versions: { kubernetes: String(value) } }));

/** Bad arguments of a component, all of them. Shown without a stack trace. */
export class InvalidArgumentsError extends pulumi.RunError {
    constructor(
        component: string,
        readonly faults: readonly string[],
    ) {
        super(
            [
                `${component}: ${faults.length} of its arguments cannot be used, ` +
                    "nothing was changed:",
                ...faults.map((fault) => `  ${fault}`),
            ].join("\n"),
        );
    }
}

/**
 * Checks all arguments whose values are known here, before any resource is made.
 *
 * @param component what is checked, for the error: `ExcloudK8sCluster "prod"`
 * @throws InvalidArgumentsError listing every fault: the argument, its value, what is allowed
 */
export function checkArgs<Args extends object>(
    component: string,
    args: Args,
    rules: Rules<Args>,
): void {
    const faults = rules.flatMap(([path, ...ruleList]) => {
        const value = valueAt(args, path);
        const isOptional = !ruleList.includes(required);
        if ((value === undefined && isOptional) || isOutputLike(value)) {
            return [];
        }
        for (const rule of ruleList) {
            const fault = rule(value, args);
            if (fault !== undefined) {
                return [`${path} ${fault}`];
            }
        }
        return [];
    });
    const paths = rules.map(([path]) => path);
    faults.push(...unknownNames(args, paths).map((name) => `${name} is not an argument`));
    if (faults.length > 0) {
        throw new InvalidArgumentsError(component, faults);
    }
}

/** Names that no rule knows, also within the groups of arguments. */
function unknownNames(args: object, paths: readonly string[]): string[] {
    const groups = new Set(
        paths.filter((path) => path.includes(".")).map((path) => path.split(".")[0] as string),
    );
    const names = Object.entries(args).flatMap(([name, value]: [string, unknown]) =>
        groups.has(name) && typeof value === "object" && value !== null && !isOutputLike(value)
            ? [name, ...Object.keys(value).map((inner) => `${name}.${inner}`)]
            : [name],
    );
    return names.filter((name) => !paths.includes(name));
}

function valueAt(args: object, path: string): unknown {
    return path
        .split(".")
        .reduce<unknown>(
            (value, key) =>
                typeof value === "object" && value !== null
                    ? (value as Record<string, unknown>)[key]
                    : undefined,
            args,
        );
}

/** Whether a value, or a member of it, is known only later: then the cloud or the renderer judges it. */
function isOutputLike(value: unknown): boolean {
    return (
        pulumi.Output.isInstance(value) ||
        value instanceof Promise ||
        (Array.isArray(value) && value.some(isOutputLike))
    );
}

/** The message of what a check throws, as a fault. */
export function tryTo(check: () => unknown): string | undefined {
    try {
        check();
        return undefined;
    } catch (error) {
        return error instanceof Error
            ? `is not valid: ${error.message.replace(/^: /, "")}`
            : "is not valid";
    }
}

export function show(value: unknown): string {
    return JSON.stringify(value) ?? String(value);
}
