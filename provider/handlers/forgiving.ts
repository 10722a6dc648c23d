import { ApiError, messageOf } from "../errors";
import type { Context } from "../context";

/** Seconds for which the cloud's lists may lag behind what was done. */
export const settlingTime = 10;

/** Retries of a deletion at a bootstrap server that may be gone for good: about 2 s together. */
export const briefly = 3;

/**
 * Runs a deletion at the bootstrap server that must not stop a destroy: gone is done, and a server that
 * does not answer gets a warning that names what stayed.
 */
export async function deleteOrWarn(
    what: string,
    context: Context,
    run: () => Promise<unknown>,
): Promise<void> {
    try {
        await run();
    } catch (error) {
        if (error instanceof ApiError && error.isNotFound) {
            return;
        }
        const reason = messageOf(error);
        context.log(`warning: ${what} stays on the bootstrap server: ${reason}`);
    }
}

/** The answer, or undefined when the API says the thing does not exist. */
export async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
    try {
        return await call;
    } catch (error) {
        if (error instanceof ApiError && error.isNotFound) {
            return undefined;
        }
        throw error;
    }
}

/**
 * Lets an error pass that a later look may explain: nobody knows what became of the call, or what it
 * clashed with may change.
 */
export function passing(error: unknown): ApiError {
    if (error instanceof ApiError && (error.hasUnknownOutcome || error.status === 409)) {
        return error;
    }
    throw error;
}
