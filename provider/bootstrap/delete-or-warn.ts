import type { Context } from "../context";
import { ApiError, messageOf } from "../errors";

/** Retries of a deletion at a bootstrap server that may be gone for good: about 2 s together. */
export const briefly = 3;

/**
 * Runs a deletion at the bootstrap server that must not stop a destroy: what is gone, or what an older
 * server cannot have, is done; a server that does not answer gets a warning that names what stayed.
 */
export async function deleteOrWarn(
    what: string,
    context: Context,
    run: () => Promise<unknown>,
): Promise<void> {
    try {
        await run();
    } catch (error) {
        if (error instanceof ApiError && (error.isNotFound || error.isUnknownRoute)) {
            return;
        }
        const reason = messageOf(error);
        context.log(`warning: ${what} stays on the bootstrap server: ${reason}`);
    }
}
