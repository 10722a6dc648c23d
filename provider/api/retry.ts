import type { RetryHandler } from "undici";

/** How long a client keeps at it. Times are in milliseconds. */
export interface Patience {
    /** Repetitions of one call. */
    readonly maxRetries: number;
    /** The longest first pause before a repetition; it doubles each time, up to `longestPauseMs`. */
    readonly firstPauseMs: number;
    readonly longestPauseMs: number;
    /** The longest pause that a server may ask for by `Retry-After`; a call that is to wait longer fails. */
    readonly longestRetryAfter: number;
    /** Silence on a connection after which the answer counts as lost. */
    readonly silence: number;
    /** One call with all its repetitions and pauses. */
    readonly wholeCall: number;
}

export const defaultPatience: Patience = {
    maxRetries: 5,
    firstPauseMs: 500,
    longestPauseMs: 8_000,
    longestRetryAfter: 60_000,
    silence: 30_000,
    wholeCall: 120_000,
};

/** After which failures a call is repeated. */
interface Policy {
    readonly statuses: readonly number[];
    readonly codes: readonly string[];
}

/** The request did not reach the server: such a call had no effect. */
const neverSent = ["ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "UND_ERR_CONNECT_TIMEOUT"];

/** By whether repeating the call after an unknown outcome is harmless. */
const policies: Readonly<Record<"idempotent" | "creating", Policy>> = {
    idempotent: {
        statuses: [429, 502, 503, 504],
        codes: [
            ...neverSent,
            "ECONNRESET",
            "EPIPE",
            "UND_ERR_SOCKET",
            "UND_ERR_HEADERS_TIMEOUT",
            "UND_ERR_BODY_TIMEOUT",
        ],
    },
    creating: { statuses: [429], codes: neverSent },
};

/** What undici calls its own error about an answer. */
const answered = "UND_ERR_REQ_RETRY";

/**
 * Decides for undici's retry handler: exponential backoff with full jitter, so that many clients do not
 * come back at once; `Retry-After` goes before it.
 */
export function retryOptions(
    kind: keyof typeof policies,
    patience: Patience,
): RetryHandler.RetryOptions {
    const { statuses, codes } = policies[kind];
    return {
        throwOnError: false,
        retry: (error, { state }, decide) => {
            const { code, statusCode, headers } = error as Failure;
            const isPassing =
                code === answered ? statuses.includes(statusCode ?? 0) : codes.includes(code ?? "");
            const pause = retryAfterOf(headers) ?? jittered(state.counter, patience);
            if (
                !isPassing ||
                state.counter > patience.maxRetries ||
                !(pause <= patience.longestRetryAfter)
            ) {
                decide(error);
                return;
            }
            setTimeout(() => decide(null), pause);
        },
    };
}

interface Failure extends Error {
    readonly code?: string;
    readonly statusCode?: number;
    readonly headers?: Record<string, string | string[] | undefined>;
}

function jittered(counter: number, { firstPauseMs, longestPauseMs }: Patience): number {
    return Math.random() * Math.min(firstPauseMs * 2 ** (counter - 1), longestPauseMs);
}

/** Milliseconds that the server asks to wait for: seconds or a date (RFC 9110, 10.2.3). */
export function retryAfterOf(headers: Failure["headers"]): number | undefined {
    const value = headers?.["retry-after"];
    if (typeof value !== "string") {
        return undefined;
    }
    const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
    return Number.isNaN(wait) ? undefined : Math.max(wait, 0);
}
