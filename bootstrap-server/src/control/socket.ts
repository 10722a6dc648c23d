import { once } from "node:events";
import { chmod, mkdir, rm } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { join } from "node:path";

import type { FastifyRequest } from "fastify";

import { dataPaths } from "../data-dir";
import type { App } from "../routes/types";
import { withShortName } from "../short-path";

/** File name of the socket in the control folder. */
export const socketName = "socket";

/** What came through a control socket. Kept here, so that nothing a client sends can claim it. */
const localRequests = new WeakSet<IncomingMessage>();

/** Whether a request came through the control socket, and so from the server's own user or root. */
export function isLocal(request: FastifyRequest): boolean {
    return localRequests.has(request.raw);
}

/**
 * Serves the application on a socket in the data folder, for the commands of this program, and
 * returns what ends that. It asks for no token: only the server's own user and root open it, and they
 * have the data folder anyway.
 */
export async function listenOnControlSocket(
    app: App,
    dataDir: string,
): Promise<() => Promise<void>> {
    const folder = dataPaths(dataDir).control;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    await rm(join(folder, socketName), { force: true });
    const server = createServer((request, response) => {
        localRequests.add(request);
        app.routing(request, response);
    });
    await withShortName(folder, socketName, async (name) => {
        server.listen(join(name, socketName));
        await once(server, "listening");
    });
    return async () => {
        const closed = once(server, "close");
        server.close();
        server.closeIdleConnections();
        await closed;
        await rm(join(folder, socketName), { force: true });
    };
}
