import { isDeepStrictEqual } from "node:util";

import { refusedServer } from "./bootstrap/refused-server";
import { type Context, makeContext } from "./context";
import type { ConfigReader } from "./credentials";
import { messageOf } from "./errors";
import { type Change, type Existing, type Failure, type Handler, UnfinishedError } from "./handler";

/** A resource's properties as the dynamic-provider process hands them over. */
type Properties = Record<string, unknown>;

/** What the dynamic-provider process calls: the contract that every existing state file relies on. */
export interface DynamicProvider {
    configure(request: { config: { get: ConfigReader } }): void;
    check(olds: Properties, news: Properties): Promise<{ inputs: Properties; failures: Failure[] }>;
    diff(id: string, olds: Properties, news: Properties): Promise<DiffResult>;
    create(inputs: Properties): Promise<{ id: string; outs: Properties }>;
    read(id: string, props: Properties): Promise<ReadResult>;
    update(id: string, olds: Properties, news: Properties): Promise<{ outs: Properties }>;
    delete(id: string, props: Properties): Promise<void>;
}

export interface DiffResult {
    changes: boolean;
    replaces: string[];
    deleteBeforeReplace: boolean;
}

export type ReadResult =
    { id: string; props: Properties; inputs?: Properties } | Record<string, never>;

/** Speaks the dynamic provider's protocol for a handler, which reaches the world by `contextOf`. */
export function adapt<I extends object, O extends object>(
    handler: Handler<I, O>,
    contextOf: (config: ConfigReader) => Context = makeContext,
): DynamicProvider {
    // The process asks for the provider once and configures it before the first call, without
    // waiting: nothing here may be asynchronous or throw.
    let context: Context = contextOf(() => undefined);

    const outputsOf = (inputs: object, existing: Existing<object, object>): Properties => {
        const kept: Properties = { ...inputs };
        for (const name of handler.writeOnly ?? []) {
            delete kept[name];
        }
        return toPlainJson({ ...kept, ...existing.outputs });
    };
    const stateOf = (properties: Properties) => ({ ...handler.defaults, ...properties }) as I & O;
    const inputsIn = ({ __provider: _, ...rest }: Properties) =>
        ({ ...handler.defaults, ...rest }) as I;

    return {
        configure: ({ config }) => {
            context = contextOf((key) => config.get(key));
        },

        check: (olds, news) =>
            guard(async () => {
                const old = Object.keys(olds ?? {}).length === 0 ? undefined : inputsIn(olds);
                const inputs = inputsIn(news);
                const checked = (await handler.check?.(inputs, old, context)) ?? {
                    inputs,
                    failures: [],
                };
                const plain = toPlainJson(checked.inputs);
                const isChange =
                    old === undefined || changesOf(handler, old as I & O, plain as I).length > 0;
                const refused =
                    isChange && handler.putsAtServer
                        ? await refusedServer(checked.inputs, context)
                        : [];
                return { inputs: plain, failures: [...checked.failures, ...refused] };
            }),

        diff: (_id, olds, news) =>
            guard(() => {
                const state = stateOf(olds);
                const changes = changesOf(handler, state, inputsIn(news));
                const replaces = changes
                    .filter(([, change]) => change === "replace")
                    .map(([name]) => name);
                const unfinished = handler.isUnfinished?.(state) ?? false;
                return Promise.resolve({
                    changes: changes.length > 0 || unfinished,
                    replaces,
                    deleteBeforeReplace: replaces.length > 0,
                });
            }),

        create: (inputs) =>
            guard(async () => {
                const existing = await keepUnfinished(inputs, outputsOf, () =>
                    handler.create(inputsIn(inputs), context),
                );
                return { id: existing.id, outs: outputsOf(inputsIn(inputs), existing) };
            }),

        read: (id, props) =>
            guard(async () => {
                const existing = await handler.read(id, stateOf(props), context);
                if (existing === undefined) {
                    return {};
                }
                const { __provider } = props;
                const inputs = existing.inputs && { ...toPlainJson(existing.inputs), __provider };
                return {
                    id: existing.id,
                    props: toPlainJson({ ...props, ...existing.inputs, ...existing.outputs }),
                    ...(inputs ? { inputs } : {}),
                };
            }),

        update: (id, olds, news) =>
            guard(async () => {
                const existing = await keepUnfinished(news, outputsOf, () =>
                    handler.update(id, stateOf(olds), inputsIn(news), context),
                );
                return { outs: outputsOf(inputsIn(news), existing) };
            }),

        delete: (id, props) => guard(() => handler.delete(id, stateOf(props), context)),
    };
}

/** The inputs that changed, each with what its change means here and now; what means nothing is left out. */
function changesOf<I extends object, O extends object>(
    handler: Handler<I, O>,
    state: I & O,
    inputs: I,
): [name: keyof I & string, change: Change][] {
    const changes: Partial<Record<keyof I, Change>> = {
        ...handler.changes,
        ...handler.judge?.(state, inputs),
    };
    return (Object.entries(changes) as [keyof I & string, Change][]).filter(
        ([name, change]) => change !== "ignore" && !isDeepStrictEqual(state[name], inputs[name]),
    );
}

/**
 * Turns an unfinished thing into the error that makes the engine keep it. `__provider` must be among
 * its properties, else the engine could neither read nor delete it.
 */
async function keepUnfinished<T>(
    inputs: Properties,
    outputsOf: (inputs: object, existing: Existing<object, object>) => Properties,
    run: () => Promise<T>,
): Promise<T> {
    try {
        return await run();
    } catch (error) {
        if (error instanceof UnfinishedError) {
            throw Object.assign(plainError(error.message), {
                id: error.existing.id,
                properties: outputsOf(inputs, error.existing),
                reasons: [error.message],
            });
        }
        throw error;
    }
}

/**
 * Lets only errors made here through: an `id` that happens to be on a foreign one would become a bogus
 * resource, and a stack trace would be printed to the user's terminal.
 */
async function guard<T>(run: () => Promise<T>): Promise<T> {
    try {
        return await run();
    } catch (error) {
        if (error instanceof Error && "reasons" in error) {
            throw error;
        }
        throw plainError(messageOf(error));
    }
}

function plainError(message: string): Error {
    const error = new Error(message);
    error.stack = ""; // the process prints it beside the message
    return error;
}

/**
 * The only way values leave for the engine: JSON without `undefined`. Anything else would be silently
 * mangled on the way.
 *
 * @throws Error naming the path of a value that is not JSON
 */
export function toPlainJson(value: object): Properties {
    return plain(value, "") as Properties;
}

function plain(value: unknown, path: string): unknown {
    if (value === null || typeof value === "string" || typeof value === "boolean") {
        return value;
    }
    if (typeof value === "number" && (Number.isSafeInteger(value) || !Number.isInteger(value))) {
        if (Number.isFinite(value)) {
            return value;
        }
    }
    if (Array.isArray(value)) {
        return value.map((item, index) => plain(item, `${path}[${index}]`));
    }
    if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
        return Object.fromEntries(
            Object.entries(value)
                .filter(([, member]) => member !== undefined)
                .map(([key, member]) => [key, plain(member, path === "" ? key : `${path}.${key}`)]),
        );
    }
    throw new Error(`output ${path} is a ${typeof value} that is not JSON`);
}
