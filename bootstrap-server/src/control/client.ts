import { join, resolve } from "node:path";
import { Agent, request } from "undici";
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
 * Asks the server that runs on a data folder, through its control socket.
 * Throws StartupError when none runs there, or with what the server says when it refuses.
 */
export async function askServer<T>(dataDir: string, call: Call): Promise<T> {
    const folder = dataPaths(resolve(dataDir)).control;
    return withShortName(folder, socketName, async (name) => {
        const dispatcher = new Agent({ connect: { socketPath: join(name, socketName) } });
        try {
            const answer = await request(`http://localhost${call.path}`, {
                method: call.method,
                dispatcher,
                ...(call.body === undefined
                    ? {}
                    : {
                          headers: { "content-type": "application/json" },
                          body: JSON.stringify(call.body),
                      }),
            });
            const text = await answer.body.text();
            const body = (text === "" ? undefined : JSON.parse(text)) as T;
            if (answer.statusCode < 300) return body;
            throw new StartupError((body as { error: { message: string } }).error.message);
        } catch (error) {
            if (error instanceof StartupError) throw error;
            throw new StartupError(
                `no server answers on the data folder ${resolve(dataDir)} (${messageOf(error)}): start it, run this command as its user, or name its folder with --data-dir`,
            );
        } finally {
            await dispatcher.close();
        }
    });
}
