import * as pulumi from "@pulumi/pulumi";
import { closest, distance } from "fastest-levenshtein";

import type { ExcloudK8sClusterArgs } from "./cluster-args";
import { fields, type Field, type Rule } from "./fields";
import { isRecord, show } from "./show";

/** Bad arguments of a cluster, all of them. Shown without a stack trace. */
export class InvalidArgumentsError extends pulumi.RunError {
    /** @internal */
    constructor(
        cluster: string,
        /** What is wrong, one argument each. */
        readonly faults: readonly string[],
        /** Whether they were found before anything was done. */
        before = true,
    ) {
        super(
            [
                `ExcloudK8sCluster "${cluster}": ${faults.length} of its arguments cannot be used` +
                    `${before ? ", nothing was changed" : ""}:`,
                ...faults.slice(0, longestList).map((fault) => `  ${fault}`),
                ...(faults.length > longestList
                    ? [`  and ${faults.length - longestList} more`]
                    : []),
            ].join("\n"),
        );
    }
}

/** Faults that are written out. */
const longestList = 50;

/** A value, where it is in the arguments, and what it must be. */
interface Part {
    readonly at: string;
    readonly path: readonly string[];
    readonly value: unknown;
    readonly mayBeLater: boolean;
    readonly rules: readonly Rule[];
}

/**
 * Checks all arguments whose values are known here, before any resource is made.
 *
 * @returns the arguments, in which values that become known later are checked then
 * @throws InvalidArgumentsError listing every fault: the argument, its value, what is allowed
 */
export function validateArgs(cluster: string, args: ExcloudK8sClusterArgs): ExcloudK8sClusterArgs {
    if (!isRecord(args)) {
        const fault = `the arguments are ${show(args)}; give an object`;
        throw new InvalidArgumentsError(cluster, [fault]);
    }
    const parts = fields.flatMap((field) => partsOf(field, args));
    const faults = [
        ...parts.flatMap((part) => faultOf(part, args) ?? []),
        ...unknownNames(args, ""),
    ];
    if (faults.length > 0) {
        throw new InvalidArgumentsError(cluster, faults);
    }
    return parts
        .filter(({ value }) => isLater(value))
        .reduce(
            (checked, part) => withValue(checked, part.path, checkedLater(cluster, part, args)),
            args,
        );
}

/** The values that a field has rules for: its own, and those of its items. */
function partsOf(field: Field, args: ExcloudK8sClusterArgs): Part[] {
    const path = field.path.split(".");
    const value = valueAt(args, path);
    if (value === undefined && !isRequired(field, args)) {
        return [];
    }
    const { items, mayBeLater, rules } = field;
    const own: Part = { at: field.path, path, value, mayBeLater, rules };
    if (items === undefined || isLater(value)) {
        return [own];
    }
    const entries = Array.isArray(value)
        ? [...value.entries()].map(([index, item]) => [`[${index}]`, String(index), item] as const)
        : isRecord(value)
          ? Object.entries(value).map(([key, item]) => [`.${key}`, key, item] as const)
          : [];
    return [
        own,
        ...entries.map(([suffix, key, item]) => ({
            at: field.path + suffix,
            path: [...path, key],
            value: item as unknown,
            ...items,
        })),
    ];
}

/** A member is required where its group is given, or required itself. */
function isRequired({ path, required, parentRequired }: Field, args: object): boolean {
    const parent = valueAt(args, path.split(".").slice(0, -1));
    return required && (parentRequired || isRecord(parent));
}

/** What is wrong with a value, or nothing. A rule may rely on those before it. */
function faultOf(
    { at, value, mayBeLater, rules }: Part,
    args: ExcloudK8sClusterArgs,
): string | undefined {
    if (isLater(value)) {
        return mayBeLater
            ? undefined
            : `${at} becomes known only while the program runs; give a plain value, such as one of pulumi.Config`;
    }
    for (const rule of rules) {
        const fault = rule(value, args);
        if (fault !== undefined) {
            return `${at} ${fault}`;
        }
    }
    return undefined;
}

/** A value that fails the program once it is known and bad. */
function checkedLater(
    cluster: string,
    part: Part,
    args: ExcloudK8sClusterArgs,
): pulumi.Output<unknown> {
    const later: pulumi.Output<unknown> = pulumi.output(part.value);
    return later.apply((value) => {
        const fault = value === undefined ? undefined : faultOf({ ...part, value }, args);
        if (fault !== undefined) {
            throw new InvalidArgumentsError(cluster, [fault], false);
        }
        return value;
    });
}

/** Names that no field has, also within the groups of arguments. */
function unknownNames(group: object, path: string): string[] {
    const known = memberNames(path);
    return Object.entries(group).flatMap(([name, value]: [string, unknown]) => {
        const inner = path === "" ? name : `${path}.${name}`;
        if (!known.includes(name)) {
            return [`${inner} is not an argument of a cluster${suggestion(name, known)}`];
        }
        const isGroup = memberNames(inner).length > 0 && isRecord(value) && !isLater(value);
        return isGroup ? unknownNames(value, inner) : [];
    });
}

/** The names of the members of a group; `""` is that of all arguments. */
function memberNames(group: string): string[] {
    const prefix = group === "" ? "" : `${group}.`;
    return fields
        .map(({ path }) => path)
        .filter((path) => path.startsWith(prefix))
        .map((path) => path.slice(prefix.length))
        .filter((name) => !name.includes("."));
}

function suggestion(name: string, known: readonly string[]): string {
    const nearest = closest(name.slice(0, 100), known);
    const isNear = distance(name.slice(0, 100), nearest) <= Math.max(2, nearest.length / 3);
    return isNear ? `; did you mean ${nearest}?` : "";
}

function valueAt(args: object, path: readonly string[]): unknown {
    return path.reduce<unknown>(
        (value, key) => (isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined),
        args,
    );
}

/** A copy with another value at a path; lists and objects on the way are copied. */
function withValue<T>(group: T, [key, ...rest]: readonly string[], value: unknown): T {
    if (key === undefined) {
        return value as T;
    }
    const copy = (Array.isArray(group) ? [...(group as unknown[])] : { ...group }) as Record<
        string,
        unknown
    >;
    copy[key] = withValue(copy[key], rest, value);
    return copy as T;
}

/** Whether a value is known only later. */
function isLater(value: unknown): value is pulumi.Output<unknown> | Promise<unknown> {
    return pulumi.Output.isInstance(value) || value instanceof Promise;
}
