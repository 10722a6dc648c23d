import type { Context } from "./context";

/**
 * What a change of an input means:
 * - `update`: changed in place;
 * - `replace`: the thing is deleted, then created anew;
 * - `ignore`: recorded for the next creation, changes nothing that exists.
 */
export type Change = "update" | "replace" | "ignore";

/**
 * A fault of one input, shown by the engine beside the resource, with the value of the property when it names one.
 * Never name a secret's value.
 */
export interface Failure {
    property: string;
    reason: string;
}

/** State of a resource as a handler gives it: plain JSON. */
export interface Existing<Inputs, Outputs> {
    id: string;
    /** Everything the handler learnt, beside the inputs, which are kept with it. */
    outputs: Outputs;
    /** From `read` only: the inputs as they really are, so that drift shows as a readable difference. */
    inputs?: Inputs;
}

/**
 * A managed thing: six operations as plain async functions over plain JSON. No handler knows Pulumi.
 *
 * `create` must adopt what an interrupted attempt left, `update` must converge from any state,
 * `delete` must take "already gone" as done: any of them may run again after a crash.
 */
export interface Handler<Inputs extends object, Outputs extends object = object> {
    /** Each input and what a change of it means. */
    readonly changes: Readonly<Record<keyof Inputs, Change>>;
    /** Whether it puts something at the bootstrap server of its input `bootstrap`, which must understand it. */
    readonly putsAtServer?: true;
    /** What an input is where a state of an older release lacks it. */
    readonly defaults?: Readonly<Partial<Inputs>>;
    /** Inputs that are not repeated in the outputs, because they are large and a digest stands for them. */
    readonly writeOnly?: readonly (keyof Inputs & string)[];
    /**
     * Validates and completes inputs. Values may be unknown in previews, see `isUnknown`.
     * Runs on every preview and up, before anything is changed.
     */
    check?(
        inputs: Inputs,
        old: Inputs | undefined,
        context: Context,
    ): Promise<{ inputs: Inputs; failures: Failure[] }>;
    /** What a change means here and now, where that depends on the values; else `changes` says. */
    judge?(state: Inputs & Outputs, inputs: Inputs): Partial<Record<keyof Inputs, Change>>;
    /** Whether what exists asks for an update although no input changed. */
    isUnfinished?(state: Inputs & Outputs): boolean;
    create(inputs: Inputs, context: Context): Promise<Existing<Inputs, Outputs>>;
    /** Undefined when the thing is definitely gone. */
    read(
        id: string,
        state: Inputs & Outputs,
        context: Context,
    ): Promise<Existing<Inputs, Outputs> | undefined>;
    update(
        id: string,
        state: Inputs & Outputs,
        inputs: Inputs,
        context: Context,
    ): Promise<Existing<Inputs, Outputs>>;
    delete(id: string, state: Inputs & Outputs, context: Context): Promise<void>;
}

/** The inputs that a resource's state holds beside its outputs. */
export function inputsOf<Inputs extends object, Outputs extends object>(
    { changes }: Handler<Inputs, Outputs>,
    state: Inputs & Outputs,
): Inputs {
    return Object.fromEntries(Object.entries(state).filter(([name]) => name in changes)) as Inputs;
}

/** Thrown when the thing exists but is not finished: it is kept in state, and the next `up` resumes it by `update`. */
export class UnfinishedError extends Error {
    constructor(
        message: string,
        readonly existing: Existing<object, object>,
    ) {
        super(message);
    }
}

/** How the engine writes a value that it does not know yet. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value of a preview is, or holds, something not known yet. */
export function isUnknown(value: unknown): boolean {
    if (typeof value === "object" && value !== null) {
        return Object.values(value).some(isUnknown);
    }
    return value === unknownValue;
}
