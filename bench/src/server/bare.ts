// What Node.js itself costs: a server that answers every request with the same bytes, over HTTPS
// with the bootstrap server's own certificate and settings, or over HTTP.
import { readFileSync } from "node:fs";
import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";

import { answer, argument } from "./processes";

/** How a bare server serves. */
export interface BareOptions {
    /** Folder with `server.crt` and `server.key`; HTTP without one. */
    tls?: string;
    /** File of the bytes. */
    body: string;
    etag: string;
}

const { tls, body, etag } = argument<BareOptions>();
const bytes = readFileSync(body);
const headers = {
    "content-type": "application/json; charset=utf-8",
    etag,
    "content-length": bytes.length,
};
const listener: RequestListener = (request, response) => {
    if (request.headers["if-none-match"] === etag) {
        response.writeHead(304, { etag }).end();
    } else {
        response.writeHead(200, headers).end(bytes);
    }
};
const server =
    tls === undefined
        ? createHttp(listener)
        : createHttps(
              {
                  cert: readFileSync(`${tls}/server.crt`),
                  key: readFileSync(`${tls}/server.key`),
                  minVersion: "TLSv1.2",
              },
              listener,
          );
server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    answer({ url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}` });
});
