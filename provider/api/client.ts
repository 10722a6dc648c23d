import { Agent, interceptors, request, type Dispatcher } from "undici";

import { errorOfAnswer, errorOfConnection } from "../errors";
import type { Operation, Operations, RequestOf, ResponseOf } from "./operation";

/** Where and as whom an API is called. */
export interface Endpoint {
    /** Base URL of each service that the operations name. */
    readonly baseUrls: Readonly<Record<string, string>>;
    /** Gives the bearer token at the moment of the call, so that a changed one is picked up. */
    readonly token: () => string;
    /** What an error tells the user to do when the token is refused: `set ...`. */
    readonly credentialName: string;
    /** CA certificate (PEM) to trust instead of the public ones. */
    readonly caPem?: string | undefined;
    /** Retries of one idempotent call. Default 5, about 20 s together. */
    readonly maxRetries?: number | undefined;
}

/** Calls any operation of a table by its name, with its request and response types. */
export type Call<T extends Operations> = <N extends keyof T & string>(
    name: N,
    ...parameters: keyof RequestOf<T[N]> extends never ? [] : [request: RequestOf<T[N]>]
) => Promise<ResponseOf<T[N]>>;

const everyMethod: Dispatcher.HttpMethod[] = ["GET", "POST", "PUT", "DELETE"];
const timeout = 60_000;

/** What undici says when no connection was made in time; such a call had no effect. */
const neverConnected = "UND_ERR_CONNECT_TIMEOUT";

/**
 * Makes the caller of a table of operations.
 *
 * Idempotent calls are retried on network errors, 429, 502, 503 and 504; all others only when the
 * server cannot have acted on them: connection refused, 429 and 503. `Retry-After` is honoured.
 *
 * @throws ApiError from each call: names the call, what was seen and what to do next
 */
export function makeClient<T extends Operations>(operations: T, endpoint: Endpoint): Call<T> {
    const backoff = {
        throwOnError: false,
        methods: everyMethod,
        maxRetries: endpoint.maxRetries ?? 5,
        minTimeout: 300,
        maxTimeout: 8_000,
        timeoutFactor: 2,
        retryAfter: true,
    };
    const pool = new Agent({
        connections: 8,
        headersTimeout: timeout,
        bodyTimeout: timeout,
        connect: { timeout: 10_000, ...(endpoint.caPem ? { ca: endpoint.caPem } : {}) },
    });
    const persistent = pool.compose(
        interceptors.retry({
            ...backoff,
            statusCodes: [429, 502, 503, 504],
            errorCodes: [
                "ECONNREFUSED",
                "ECONNRESET",
                "ENETUNREACH",
                "EHOSTUNREACH",
                "EPIPE",
                "UND_ERR_SOCKET",
                neverConnected,
            ],
        }),
    );
    const cautious = pool.compose(
        interceptors.retry({
            ...backoff,
            statusCodes: [429, 503],
            errorCodes: ["ECONNREFUSED", neverConnected],
        }),
    );

    return async (name, ...parameters) => {
        const operation: Operation = operations[name] as Operation;
        const given = (parameters[0] ?? {}) as Record<string, unknown>;
        const url = urlOf(
            operation,
            endpoint.baseUrls[operation.service] ?? "",
            given as Record<string, string | number | undefined>,
        );
        const body = operation.body && pick(given, Object.keys(operation.body.properties));
        const token = endpoint.token();
        let answer: Dispatcher.ResponseData;
        let text: string;
        try {
            answer = await request(url, {
                method: operation.method,
                dispatcher: operation.idempotent ? persistent : cautious,
                headers: {
                    authorization: `Bearer ${token}`,
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
    const path = operation.path.replace(/\{(\w+)\}/g, (_, key: string) =>
        encodeURIComponent(given[key] ?? ""),
    );
    const url = new URL(base.replace(/\/+$/, "") + path);
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
    if (operation.response === undefined) {
        return undefined;
    }
    try {
        return JSON.parse(text);
    } catch {
        throw errorOfAnswer(operation, url, status, "the answer is not JSON", credentialName);
    }
}
