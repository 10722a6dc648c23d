import * as pulumi from "@pulumi/pulumi";

/** A value in a message: short, and whatever it is. */
export function show(value: unknown): string {
    return shorten(textOf(value), 100);
}

/** A text without its end, when it is long. */
export function shorten(text: string, longest = 200): string {
    return text.length > longest ? `${text.slice(0, longest)}...` : text;
}

function textOf(value: unknown): string {
    if (typeof value === "number" || typeof value === "bigint" || typeof value === "symbol") {
        return String(value);
    }
    if (pulumi.Output.isInstance(value) || value instanceof Promise) {
        return "a value that becomes known later";
    }
    try {
        return JSON.stringify(value) ?? kindOf(value);
    } catch {
        return kindOf(value);
    }
}

function kindOf(value: unknown): string {
    return value === undefined ? "undefined" : `a value of type ${typeof value}`;
}

/** Whether a value is an object with members. */
export function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
