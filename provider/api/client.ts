import { Agent, type Dispatcher, interceptors, request } from "undici";

import { pathOf } from "../../contract/operation";
import { errorOfAnswer, errorOfConnection } from "../errors";
import type { Operation, Operations, RequestOf, ResponseOf } from "./operation";
import { defaultPatience, type Patience, retryOptions } from "./retry";

/** Where and as whom an API is called. */
export interface Endpoint {
    /** Base URL of each service that the operations name. */
    readonly baseUrls: Readonly<Record<string, string>>;
    /** Gives the bearer token at the moment of the call, so that a changed one is picked up; absent where none is asked for. */
    readonly token?: () => string;
    /** What an error tells the user to do when the token is refused: `set ...`. */
    readonly credentialName: string;
    /** CA certificate (PEM) to trust instead of the public ones. */
    readonly caPem?: string | undefined;
    readonly patience?: Patience | undefined;
}

/** Calls any operation of a table by its name, with its request and response types. */
export type Call<T extends Operations> = <N extends keyof T & string>(
    name: N,
    ...parameters: keyof RequestOf<T[N]> extends never ? [] : [request: RequestOf<T[N]>]
) => Promise<ResponseOf<T[N]>>;

/** Calls of one API that are under way at a time; more wait for their turn. */
const concurrency = 8;

/**
 * Makes the caller of a table of operations.
 *
 * A call is repeated after failures that pass: idempotent ones whatever became of the call, all others
 * only when the server cannot have acted on it. `createOnce` is the way on from there.
 *
 * @throws ApiError from each call: names the call, what was seen and what to do next
 */
export function makeClient<T extends Operations>(operations: T, endpoint: Endpoint): Call<T> {
    const patience = endpoint.patience ?? defaultPatience;
    const pool = new Agent({
        connections: concurrency,
        headersTimeout: patience.silence,
        bodyTimeout: patience.silence,
        connect: { timeout: 10_000, ...(endpoint.caPem ? { ca: endpoint.caPem } : {}) },
    });
    const idempotent = pool.compose(interceptors.retry(retryOptions("idempotent", patience)));
    const creating = pool.compose(interceptors.retry(retryOptions("creating", patience)));

    return async (name, ...parameters) => {
        const operation: Operation = operations[name] as Operation;
        const given = (parameters[0] ?? {}) as Record<string, unknown>;
        const url = urlOf(
            operation,
            endpoint.baseUrls[operation.service] ?? "",
            given as Record<string, string | number | undefined>,
        );
        const body = operation.body && pick(given, Object.keys(operation.body.properties));
        const token = endpoint.token?.();
        let answer: Dispatcher.ResponseData;
        let text: string;
        try {
            answer = await request(url, {
                method: operation.method,
                dispatcher: operation.idempotent ? idempotent : creating,
                signal: AbortSignal.timeout(patience.wholeCall),
                headers: {
                    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
                    accept: "application/json",
                    ...(body ? { "content-type": "application/json" } : {}),
                },
                body: body ? JSON.stringify(body) : null,
            });
            text = await answer.body.text();
        } catch (error) {
            throw errorOfConnection(operation, url, error);
        }
        if (answer.statusCode >= 300) {
            throw errorOfAnswer(operation, url, answer.statusCode, text, endpoint.credentialName);
        }
        return parseAnswer(
            operation,
            url,
            answer.statusCode,
            text,
            endpoint.credentialName,
        ) as never;
    };
}

function urlOf(
    operation: Operation,
    base: string,
    given: Record<string, string | number | undefined>,
): URL {
    const url = new URL(base.replace(/\/+$/, "") + pathOf(operation, given));
    for (const key of Object.keys(operation.query?.properties ?? {})) {
        if (given[key] !== undefined) {
            url.searchParams.set(key, String(given[key]));
        }
    }
    return url;
}

function pick(from: Record<string, unknown>, keys: string[]): Record<string, unknown> {
    return Object.fromEntries(
        keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]),
    );
}

function parseAnswer(
    operation: Operation,
    url: URL,
    status: number,
    text: string,
    credentialName: string,
): unknown {
    try {
        return operation.response === undefined && text === "" ? undefined : JSON.parse(text);
    } catch {
        throw errorOfAnswer(operation, url, status, "the answer is not JSON", credentialName);
    }
}
