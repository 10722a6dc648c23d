import type { TObject, TSchema } from "@sinclair/typebox";

/** One call of the bootstrap server's API. Path parameters are written `{name}`. */
export interface Operation {
    readonly method: "GET" | "POST" | "PUT" | "DELETE";
    readonly path: string;
    /** What it does, for the documentation of the API. */
    readonly summary: string;
    readonly params?: TObject;
    readonly query?: TObject;
    /** The JSON body. */
    readonly body?: TObject;
    /** The JSON of a success; absent when that has no body. */
    readonly response?: TSchema;
    /** The statuses of refusals. */
    readonly refusals: readonly number[];
}

/** The path of an operation with its parameters filled in; one that is not given is empty. */
export function pathOf(
    { path }: Pick<Operation, "path">,
    parameters: Readonly<Record<string, string | number | undefined>>,
): string {
    return path.replace(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(String(parameters[name] ?? "")),
    );
}
