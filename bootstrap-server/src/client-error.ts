import type { FastifyBaseLogger } from "fastify";
import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

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
    // The client is gone, or was answered: what it had on the way fails again, piece by piece.
    if (error.code === "ECONNRESET" || !socket.writable) {
        socket.destroy();
        return;
    }
    const { code: parserCode = "" } = error;
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
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
    socket.destroySoon();
}
