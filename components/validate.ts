import { inspect } from "node:util";

import * as pulumi from "@pulumi/pulumi";
import { closest, distance } from "fastest-levenshtein";

import type { Field, Rule } from "./field";
import { isRecord, show } from "./show";

/** Bad arguments of a component, all of them. Shown without a stack trace. */
export class InvalidArgumentsError extends pulumi.RunError {
    /** @internal */
    constructor(
        /** Whose arguments: `ExcloudK8sCluster "prod"`. */
        component: string,
        /** What is wrong, one argument each. */
        readonly faults: readonly string[],
        /** Whether they were found before anything was done. */
        before = true,
    ) {
        super(
            [
                `${component}: ${faults.length} of its arguments cannot be used` +
                    `${before ? ", nothing was changed" : ""}:`,
                ...faults.slice(0, longestList).map((fault) => `  ${fault}`),
                ...(faults.length > longestList
                    ? [`  and ${faults.length - longestList} more`]
                    : []),
            ].join("\n"),
        );
    }

    /**
     * The SDK hangs a promise on the error of an output that is an input of a resource, and inspects the error. With
     * the promise go all those of the program that are pending: to write them out takes a minute.
     *
     * @internal
     */
    [inspect.custom](): string {
        return this.message;
    }
}

/** Faults that are written out. */
const longestList = 50;

/** A value, where it is in the arguments, and what it must be. */
interface Part<Args> {
    readonly at: string;
    readonly path: readonly string[];
    readonly value: unknown;
    readonly mayBeLater: boolean;
    readonly rules: readonly Rule<Args>[];
}

/**
 * Checks all arguments whose values are known here, before any resource is made.
 *
 * @param component what is checked, for the error: `ExcloudK8sCluster "prod"`
 * @returns the arguments, in which values that become known later are checked then
 * @throws InvalidArgumentsError listing every fault: the argument, its value, what is allowed
 */
export function checkArgs<Args extends object>(
    component: string,
    args: Args,
    fields: readonly Field<Args>[],
): Args {
    if (!isRecord(args)) {
        const fault = `the arguments are ${show(args)}; give an object`;
        throw new InvalidArgumentsError(component, [fault]);
    }
    const parts = fields.flatMap((field) => partsOf(field, fields, args));
    const faults = [
        ...parts.flatMap((part) => faultOf(part, args) ?? []),
        ...unknownNames(args, "", fields),
    ];
    if (faults.length > 0) {
        throw new InvalidArgumentsError(component, faults);
    }
    return parts
        .filter(({ value }) => isLater(value))
        .reduce(
            (checked, part) => withValue(checked, part.path, checkedLater(component, part, args)),
            args,
        );
}

/** The values that a field has rules for: its own, and those of its items. */
function partsOf<Args extends object>(
    field: Field<Args>,
    fields: readonly Field<Args>[],
    args: Args,
): Part<Args>[] {
    const path = field.path.split(".");
    const value = valueAt(args, path);
    if (value === undefined && !isRequired(field, fields, args)) {
        return [];
    }
    const { items, mayBeLater, rules } = field;
    const own: Part<Args> = { at: field.path, path, value, mayBeLater, rules };
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
function isRequired<Args extends object>(
    { path, required }: Field<Args>,
    fields: readonly Field<Args>[],
    args: Args,
): boolean {
    const group = path.split(".").slice(0, -1);
    const isGroupRequired =
        fields.find((field) => field.path === group.join("."))?.required ?? group.length === 0;
    return required && (isGroupRequired || isRecord(valueAt(args, group)));
}

/** What is wrong with a value, or nothing. A rule may rely on those before it. */
function faultOf<Args>(
    { at, value, mayBeLater, rules }: Part<Args>,
    args: Args,
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
function checkedLater<Args>(
    component: string,
    part: Part<Args>,
    args: Args,
): pulumi.Output<unknown> {
    const later: pulumi.Output<unknown> = pulumi.output(part.value);
    return later.apply((value) => {
        const fault = value === undefined ? undefined : faultOf({ ...part, value }, args);
        if (fault !== undefined) {
            throw new InvalidArgumentsError(component, [fault], false);
        }
        return value;
    });
}

/** Names that no field has, also within the groups of arguments. */
function unknownNames(group: object, path: string, fields: readonly { path: string }[]): string[] {
    const known = memberNames(path, fields);
    return Object.entries(group).flatMap(([name, value]: [string, unknown]) => {
        const inner = path === "" ? name : `${path}.${name}`;
        if (!known.includes(name)) {
            return [`${inner} is not an argument${suggestion(name, known)}`];
        }
        const isGroup = memberNames(inner, fields).length > 0 && isRecord(value) && !isLater(value);
        return isGroup ? unknownNames(value, inner, fields) : [];
    });
}

/** The names of the members of a group; `""` is that of all arguments. */
function memberNames(group: string, fields: readonly { path: string }[]): string[] {
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
