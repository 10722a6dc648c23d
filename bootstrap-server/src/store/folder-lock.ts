import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";

import { messageOf, StartupError } from "../errors";
import { withShortName } from "../short-path";

/** A folder held by this process alone, until `release`. */
export interface FolderLock {
    release(): Promise<void>;
}

/** How long a holder may take to say its process id, in milliseconds. */
const answerMs = 2000;

/** The process that listens on a socket; undefined when nobody does, so that the socket is left over. */
async function pidBehind(path: string): Promise<string | undefined> {
    const socket = connect(path).setTimeout(answerMs);
    let pid = "";
    try {
        await new Promise<void>((resolve, reject) => {
            socket.on("data", (chunk) => (pid += chunk.toString()));
            socket.once("end", resolve).once("timeout", resolve).once("error", reject);
        });
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "ECONNREFUSED" || code === "ENOENT") {
            return undefined;
        }
        // Anything else is no proof that the holder is gone.
    } finally {
        socket.destroy();
    }
    return pid === "" ? "unknown" : pid;
}

async function listenOn(path: string): Promise<Server> {
    const server = createServer((socket) => {
        socket.on("error", () => undefined);
        socket.end(String(process.pid));
    });
    server.listen(path).unref();
    await once(server, "listening");
    return server;
}

function newName(): string {
    return randomBytes(8).toString("hex");
}

/**
 * Takes a folder for this process alone. The lock is a listening socket in `${folder}.lock`: the
 * system closes it when the process ends in whichever way, and it is seen from another container on
 * the same machine, where process ids say nothing. Every process listens on a name of its own first
 * and looks for others then, so of two that start together one at most goes on.
 * Throws StartupError that names the process which holds the folder.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
    const sockets = `${folder}.lock`;
    await mkdir(sockets, { recursive: true, mode: 0o700 });
    const own = newName();
    return withShortName(sockets, own, async (short) => {
        const server = await listenOn(join(short, own)).catch((error: unknown) => {
            throw new StartupError(
                `cannot lock ${folder} by a socket in ${sockets} (${messageOf(error)}): the data folder must be writable and on a local disk`,
            );
        });
        const release = async (): Promise<void> => {
            const closed = once(server, "close");
            server.close();
            await closed;
            await rm(join(sockets, own), { force: true });
        };
        try {
            for (const other of await readdir(sockets)) {
                if (other === own) {
                    continue;
                }
                const pid = await pidBehind(join(short, other));
                if (pid !== undefined) {
                    throw new StartupError(
                        `${folder} is in use by the server with process id ${pid}: stop that one, or give this one a --data-dir of its own`,
                    );
                }
                await rm(join(sockets, other), { force: true });
            }
            return { release };
        } catch (error) {
            await release();
            throw error;
        }
    });
}
