/**
 * A refusal that a caller of the HTTP API sees: status, a dotted code to branch on, and prose that
 * says what was seen and what to do. Never carries a secret.
 */
export class ApiError extends Error {
    constructor(
        /** HTTP status. */
        readonly status: number,
        /** Dotted code, `bootstrap.<subject>.<what>`. */
        readonly code: string,
        message: string,
    ) {
        super(message);
        this.name = "ApiError";
    }
}

/** A start-up problem whose message is meant for the operator: shown without a stack trace. */
export class StartupError extends Error {
    constructor(message: string) {
        super(message);
        this.name = "StartupError";
    }
}

/** The text of anything thrown: drivers and threads throw objects that are no Error. */
export function messageOf(error: unknown): string {
    if (typeof error === "object" && error !== null && "message" in error) {
        return String(error.message);
    }
    return String(error);
}
