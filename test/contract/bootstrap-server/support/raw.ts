import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";

import type { Harness } from "./harness";

/** An answer as it came over the wire. */
export interface RawAnswer {
    status: number;
    body: string;
}

/** Opens a TLS connection to the server, to send whatever bytes. */
export async function openSocket(harness: Harness): Promise<TLSSocket> {
    const { hostname: host, port } = new URL(harness.server.url);
    const socket = connect({ host, port: Number(port), ca: harness.server.caPem });
    await once(socket, "secureConnect");
    socket.on("error", () => undefined);
    return socket;
}

/** Reads until the server ends the connection. */
export async function untilEnd(socket: TLSSocket): Promise<string> {
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    if (!socket.closed) {
        await once(socket, "close");
    }
    return text;
}

/** The answers in what was read from a connection. */
export function answersIn(text: string): RawAnswer[] {
    return text
        .split(/(?=HTTP\/1\.1 [0-9]{3} )/)
        .filter((one) => one !== "")
        .map((one) => ({
            status: Number(one.slice(9, 12)),
            body: one.slice(one.indexOf("\r\n\r\n") + 4),
        }));
}

/** Sends bytes on a connection of their own; every answer until the server ends it. */
export async function sendRaw(harness: Harness, bytes: string | Buffer): Promise<RawAnswer[]> {
    const socket = await openSocket(harness);
    socket.write(bytes);
    return answersIn(await untilEnd(socket));
}
