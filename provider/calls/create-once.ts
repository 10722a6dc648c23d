import type { Context } from "../context";
import { ApiError } from "../errors";
import { settlingSeconds } from "./outcomes";

/**
 * Makes a thing by a call that must not be repeated blindly. When nobody knows what became of the call,
 * `find` looks for the thing by its name; only a server that says it did nothing (503) is asked again.
 *
 * @throws ApiError of the call, when nothing is found
 */
export async function createOnce<T>(
    context: Context,
    create: () => Promise<T>,
    find: () => Promise<T | undefined>,
): Promise<T> {
    try {
        return await create();
    } catch (error) {
        if (!(error instanceof ApiError) || !error.hasUnknownOutcome) {
            throw error;
        }
        const found = await context.poll(settlingSeconds, () => find().catch(unlessApiError));
        if (found !== undefined) {
            return found;
        }
        if (error.status === 503) {
            return create();
        }
        throw error;
    }
}

/** Whoever may be down while looking: the first error says more. */
function unlessApiError(error: unknown): undefined {
    if (!(error instanceof ApiError)) {
        throw error;
    }
}
