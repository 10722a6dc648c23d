import type { Static, TObject, TSchema } from "@sinclair/typebox";

/**
 * How sure we are of an operation's method and path: `documented` by Excloud, seen in `client` code
 * that really calls the API, `inferred` from its naming conventions, or our own `proposal`.
 */
export type Confidence = "documented" | "client" | "inferred" | "proposal";

/** One call of an HTTP API. Path parameters are written `{name}`. */
export interface Operation {
    readonly service: string;
    readonly method: "GET" | "POST" | "PUT" | "DELETE";
    readonly path: string;
    /** Whether repeating the call after an unknown outcome is harmless. Only such calls are retried. */
    readonly idempotent: boolean;
    readonly confidence: Confidence;
    /** The JSON body; unknown members are refused. */
    readonly body?: TObject;
    readonly query?: TObject;
    readonly response?: TSchema;
}

export type Operations = Readonly<Record<string, Operation>>;

type PathParameters<P extends string> = P extends `${string}{${infer Name}}${infer Rest}`
    ? Name | PathParameters<Rest>
    : never;

type BodyOf<O extends Operation> = O extends { body: infer B extends TSchema }
    ? Static<B>
    : unknown;
type QueryOf<O extends Operation> = O extends { query: infer Q extends TSchema }
    ? Static<Q>
    : unknown;

/** What a caller passes: path parameters, query and body members in one object, told apart by the table. */
export type RequestOf<O extends Operation> = {
    readonly [K in PathParameters<O["path"]>]: string | number;
} & BodyOf<O> &
    QueryOf<O>;

/** What the call answers with. */
export type ResponseOf<O extends Operation> = O extends { response: infer R extends TSchema }
    ? Static<R>
    : undefined;
