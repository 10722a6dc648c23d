import { readConfig, type ServeFlags } from "../config";
import { writeAtomically } from "../data-dir";
import { startServer } from "../server";

/** How long /health says "draining" before the listener closes, so that a balancer notices. */
const drainMs = 5000;

const signals = ["SIGTERM", "SIGINT"] as const;

/** Resolves at the first signal to end; a second one ends the process at once. */
function untilSignal(): Promise<NodeJS.Signals> {
    return new Promise((resolve) => {
        for (const signal of signals) {
            process.once(signal, resolve);
        }
    });
}

/**
 * Serves until a signal, then drains.
 *
 * @throws when the embedded database ends by itself: a process that starts again opens it anew
 */
export async function serve(flags: ServeFlags & { readyFile?: string }): Promise<void> {
    const stopped = untilSignal();
    const server = await startServer(readConfig(flags, process.env));
    const { url, caFile, tokenFile } = server;
    console.log(`listening on ${url}`);
    console.log(`certificate authority: ${caFile}`);
    if (tokenFile !== undefined) {
        console.log(`operator token: ${tokenFile}`);
    }
    if (flags.readyFile !== undefined) {
        const ready = { url, caFile, tokenFile: tokenFile ?? null, pid: process.pid };
        await writeAtomically(flags.readyFile, `${JSON.stringify(ready)}\n`, 0o600);
    }
    const signal = await Promise.race([stopped, server.lost]);
    if (signal instanceof Error) {
        throw new Error("the embedded database ended; start the server again", { cause: signal });
    }
    console.log(`${signal}: draining`);
    await server.close(drainMs);
}
