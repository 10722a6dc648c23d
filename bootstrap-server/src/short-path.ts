import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Longest path of a socket, in bytes, that every system takes. */
const socketPathBytes = 100;

/**
 * Runs work with a name of the folder that is short enough for a socket called `socket` in it: the
 * folder itself, or a link to it for as long as the work runs. The socket stays where the folder is.
 */
export async function withShortName<T>(
    folder: string,
    socket: string,
    work: (name: string) => Promise<T>,
): Promise<T> {
    if (Buffer.byteLength(join(folder, socket)) <= socketPathBytes) {
        return work(folder);
    }
    const temporary = await mkdtemp(join(tmpdir(), "socket-"));
    try {
        await symlink(folder, join(temporary, "f"));
        return await work(join(temporary, "f"));
    } finally {
        await rm(temporary, { recursive: true });
    }
}
