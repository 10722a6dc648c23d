import type { Stack } from "../../tools/dist/engine/stack";

/** A resource as the engine exports it. */
export interface StateResource {
    urn: string;
    type: string;
    custom: boolean;
    inputs?: Record<string, unknown>;
    outputs?: Record<string, unknown>;
    parent?: string;
    dependencies?: string[];
    propertyDependencies?: Record<string, string[]>;
    deletedWith?: string;
    additionalSecretOutputs?: string[];
    hideDiff?: string[];
}

/** The resources of a stack's state. `withSecrets` shows them in the clear: keep that out of every report. */
export async function exportState(stack: Stack, withSecrets = false): Promise<StateResource[]> {
    const { stdout } = await stack.capture([
        "stack",
        "export",
        ...(withSecrets ? ["--show-secrets"] : []),
    ]);
    const state = JSON.parse(stdout) as { deployment: { resources?: StateResource[] } };
    return state.deployment.resources ?? [];
}

/** The last part of a URN: the resource's name. */
export function nameOf(urn: string): string {
    return urn.split("::").at(-1) ?? "";
}

/** The last part of a type token. */
export function shortType(type: string): string {
    return type.split(/[:/]/).at(-1) ?? type;
}

/** A part of a state and the bytes of its JSON. */
export interface Share {
    readonly name: string;
    readonly count: number;
    readonly bytes: number;
}

/** What a state's bytes are made of. */
export interface StateSize {
    /** Bytes of the state as the backend stores it. */
    readonly checkpoint: number;
    readonly resources: number;
    /** Bytes of the serialized provider of one dynamic resource; the largest. */
    readonly providerText: number;
    /** All inputs, that is what a preview compares. */
    readonly inputs: number;
    readonly byType: readonly Share[];
    /** By property of a resource's record: `inputs`, `stackTrace`, ... */
    readonly byField: readonly Share[];
    readonly largest: readonly Share[];
}

/** Measures a state, secrets encrypted as they are stored. */
export function measureState(resources: readonly StateResource[], checkpoint: number): StateSize {
    const providers = resources.map(({ inputs }) => {
        const text = inputs?.["__provider"];
        return typeof text === "string" ? text.length : 0;
    });
    return {
        checkpoint,
        resources: resources.length,
        providerText: Math.max(0, ...providers),
        inputs: sum(resources.map(({ inputs }) => bytesOf(inputs ?? {}))),
        byType: shares(resources.map((one) => [shortType(one.type), bytesOf(one)])),
        byField: shares(
            resources.flatMap((one) =>
                Object.entries(one).map(([field, value]): [string, number] => [
                    field,
                    bytesOf(value),
                ]),
            ),
        ),
        largest: shares(
            resources.map((one) => [`${shortType(one.type)} ${nameOf(one.urn)}`, bytesOf(one)]),
        ).slice(0, 5),
    };
}

function bytesOf(value: unknown): number {
    return Buffer.byteLength(JSON.stringify(value));
}

function sum(numbers: readonly number[]): number {
    return numbers.reduce((total, number) => total + number, 0);
}

/** Adds up what has the same name, largest first. */
function shares(parts: readonly (readonly [string, number])[]): Share[] {
    const names = [...new Set(parts.map(([name]) => name))];
    return names
        .map((name) => {
            const own = parts.filter(([other]) => other === name);
            return { name, count: own.length, bytes: sum(own.map(([, bytes]) => bytes)) };
        })
        .sort((a, b) => b.bytes - a.bytes);
}
