import type { BootstrapServerOptions } from "./options";
import { startServer } from "./server";

export type { VerifierMode as Mode } from "#contract/verifier";
export type { BootstrapServerOptions, LogLevel, OperatorAuth } from "./options";
export { StartupError } from "./errors";

/** A bootstrap server started in this process. */
export interface BootstrapServer {
    /** `https://host:port`. */
    url: string;
    /** Certificate of the authority that clients must trust. */
    caPem: string;
    /** A token of the operator's routes; undefined when the server knows none in clear. */
    operatorToken: string | undefined;
    /** Finishes what is in flight, closes the store, ends. */
    close(): Promise<void>;
}

/**
 * Starts a bootstrap server in this process.
 * Throws StartupError with what to do when it cannot start.
 */
export async function startBootstrapServer(
    options: BootstrapServerOptions,
): Promise<BootstrapServer> {
    const server = await startServer(options);
    const { url, caPem, operatorToken } = server;
    return { url, caPem, operatorToken, close: () => server.close() };
}
