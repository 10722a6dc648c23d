import { join, resolve } from "node:path";
import type { Readable } from "node:stream";

import { Agent, type Dispatcher, request } from "undici";

import { dataPaths } from "../data-dir";
import { messageOf, StartupError } from "../errors";
import { withShortName } from "../short-path";
import { socketName } from "./socket";

/** A call of a command. */
interface Call {
    method: "GET" | "POST" | "DELETE";
    path: string;
    body?: unknown;
}

/**
 * Calls the server that runs on a data folder, through its control socket, and gives its answer to
 * `take`. Throws StartupError when none runs there, or with what the server says when it refuses.
 */
async function call<T>(
    dataDir: string,
    { method, path, body }: Call,
    take: (answer: Dispatcher.ResponseData["body"]) => Promise<T>,
): Promise<T> {
    const folder = dataPaths(resolve(dataDir)).control;
    return withShortName(folder, socketName, async (name) => {
        const dispatcher = new Agent({ connect: { socketPath: join(name, socketName) } });
        try {
            const answer = await request(`http://localhost${path}`, {
                method,
                dispatcher,
                ...(body === undefined
                    ? {}
                    : {
                          headers: { "content-type": "application/json" },
                          body: JSON.stringify(body),
                      }),
            }).catch((error: unknown) => {
                throw new StartupError(
                    `no server answers on the data folder ${resolve(dataDir)} (${messageOf(error)}): start it, run this command as its user, or name its folder with --data-dir`,
                );
            });
            if (answer.statusCode < 300) {
                return await take(answer.body);
            }
            const { error } = (await answer.body.json()) as { error?: { message: string } };
            throw new StartupError(error?.message ?? `the server answered ${answer.statusCode}`);
        } finally {
            await dispatcher.destroy();
        }
    });
}

/** Asks the server on a data folder; see `call` for the errors. */
export function askServer<T>(dataDir: string, what: Call): Promise<T> {
    return call(dataDir, what, async (body) => {
        const text = await body.text();
        return (text === "" ? undefined : JSON.parse(text)) as T;
    });
}

/** Takes what the server on a data folder sends as it comes; see `call` for the errors. */
export function downloadFromServer(
    dataDir: string,
    path: string,
    take: (body: Readable) => Promise<void>,
): Promise<void> {
    return call(dataDir, { method: "POST", path }, take);
}
