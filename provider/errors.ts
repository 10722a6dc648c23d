import type { Operation } from "./api/operation";

/** An API answered with an error, or could not be reached. Its message names the call and holds no secret. */
export class ApiError extends Error {
    override readonly name = "ApiError";

    constructor(
        message: string,
        /** HTTP status; 0 when there was no answer. */
        readonly status: number,
        /** The API's dotted error code, or the network error's code; `""` when there is none. */
        readonly code: string,
    ) {
        super(message);
    }

    /** Whether the thing asked for does not exist. */
    get isNotFound(): boolean {
        return this.status === 404 && !this.isUnknownRoute;
    }

    /** Whether the server has no such call: it may be an older one. That says nothing of the thing. */
    get isUnknownRoute(): boolean {
        return isUnknownRoute(this.status, this.code);
    }

    /** Whether the call may have had its effect although it failed, or its answer could not be read. */
    get hasUnknownOutcome(): boolean {
        return (
            (this.status === 0 && this.code !== "ECONNREFUSED") ||
            (this.status >= 200 && this.status < 300) ||
            this.status >= 500
        );
    }
}

/** Whether an answer says that there is no such call, in the words of all services. */
function isUnknownRoute(status: number, code: string): boolean {
    return status === 404 && code.endsWith(".route.not_found");
}

/** What to do next, by HTTP status, in the words of somebody who has to do it. */
const nextSteps: Readonly<Record<number, string>> = {
    401: "the credential is missing, wrong or expired; {credential}",
    403: "the credential may not do this: ask for a policy that allows it, or use another one; {credential}",
    404: "what the call needs may have been deleted: run `pulumi up --refresh`",
    409: "what the call clashes with may change by itself: run the command again",
    429: "too many calls: try again in a while",
};

function nextStep(status: number): string {
    if (status < 300) {
        return "something else answers in the API's place: check its URL, and proxies on the way";
    }
    const otherwise =
        status < 500
            ? "look at the argument that the message names"
            : "the service fails: run the command again in a while";
    return nextSteps[status] ?? otherwise;
}

/** Builds the error of an HTTP answer, accepting every error shape that Excloud's APIs are known to use. */
export function errorOfAnswer(
    operation: Operation,
    url: URL,
    status: number,
    text: string,
    credential: string,
): ApiError {
    const { code, message, requestId } = parseEnvelope(text);
    const step = isUnknownRoute(status, code)
        ? "what answers has no such call: check its URL, and upgrade it when it is older than this program"
        : nextStep(status).replace("{credential}", credential);
    const parts = [
        `${operation.method} ${url.origin}${url.pathname} answered ${status}`,
        code === "" ? "" : ` (${code})`,
        message === "" ? "" : `: ${message}`,
        requestId === "" ? "" : ` [request ${requestId}]`,
        `. Next: ${step}`,
    ];
    return new ApiError(parts.join(""), status, code);
}

/** Builds the error of a call that got no answer. */
export function errorOfConnection(operation: Operation, url: URL, cause: unknown): ApiError {
    const { code, message } = innermost(cause);
    return new ApiError(
        `${operation.method} ${url.origin}${url.pathname} got no answer: ${message}. ` +
            `Next: check that ${url.origin} is right and can be reached from here`,
        0,
        code,
    );
}

function parseEnvelope(text: string): { code: string; message: string; requestId: string } {
    let body: unknown;
    try {
        body = JSON.parse(text);
    } catch {
        return { code: "", message: text.trim().slice(0, 200), requestId: "" };
    }
    const top = asRecord(body);
    const error = typeof top["error"] === "object" ? asRecord(top["error"]) : top;
    const word = (value: unknown) => (typeof value === "string" ? value : "");
    return {
        code: word(error["code"]),
        message: word(error["message"]) || word(top["error"]),
        requestId: word(error["request_id"]),
    };
}

function asRecord(value: unknown): Record<string, unknown> {
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function innermost(error: unknown): { code: string; message: string } {
    let current = error;
    while (current instanceof Error && current.cause !== undefined) {
        current = current.cause;
    }
    const code = asRecord(current)["code"];
    const message = messageOf(current);
    return {
        code: typeof code === "string" ? code : "",
        message: message === "" ? String(code) : message,
    };
}

/** What a thrown value says. */
export function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}

/** The same without its advice, for a message that gives its own. */
export function seenIn(error: unknown): string {
    return messageOf(error).split(". Next: ")[0] ?? "";
}
