import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import type { FastifyBaseLogger } from "fastify";

import { contractHeader, contractNumber } from "#contract/number";

/** What is answered to bytes that are no request, by the code of Node's parser. */
const answers: Record<string, [status: number, message: string] | undefined> = {
    ERR_HTTP_REQUEST_TIMEOUT: [408, "the request did not arrive in time"],
    HPE_HEADER_OVERFLOW: [431, "the headers are too large"],
};

/**
 * Answers what never became a request, with the one error body of this API, and ends the connection.
 * Nothing that was sent is logged: it may hold a token.
 */
export function answerClientError(
    log: FastifyBaseLogger,
    error: NodeJS.ErrnoException,
    socket: Socket,
): void {
    const { code: parserCode = "" } = error;
    // Other errors are of the connection or of TLS: there is nobody to answer. And who was answered
    // fails again with what was on the way, piece by piece.
    if (!/^(HPE|ERR_HTTP)_/.test(parserCode) || !socket.writable) {
        socket.destroy();
        return;
    }
    const [status, message] = answers[parserCode] ?? [400, "the request is not valid HTTP"];
    const request_id = randomUUID();
    log.info({ reqId: request_id, status, parserCode }, "not a request");
    const code = "bootstrap.request.invalid";
    const body = JSON.stringify({ error: { code, message, request_id } });
    const lines = [
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
        "content-type: application/json; charset=utf-8",
        `content-length: ${Buffer.byteLength(body)}`,
        "connection: close",
        `${contractHeader}: ${contractNumber}`,
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
    socket.destroySoon();
}
