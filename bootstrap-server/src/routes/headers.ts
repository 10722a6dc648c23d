import type { IncomingMessage } from "node:http";

import { bearerToken } from "../secrets";

/**
 * The value of a header that was sent once. A repeated one is not taken: a proxy in front may have
 * read another of its values than this server would.
 */
export function single(request: { raw: IncomingMessage }, name: string): string | undefined {
    const [value, ...others] = request.raw.headersDistinct[name] ?? [];
    return value === "" || others.length > 0 ? undefined : value;
}

/** The token of the one `Authorization: Bearer` header, or undefined. */
export function bearerOf(request: { raw: IncomingMessage }): string | undefined {
    return bearerToken(single(request, "authorization"));
}
