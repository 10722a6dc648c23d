import { ApiError } from "../errors";

/** Seconds for which the cloud's lists may lag behind what was done. */
export const settlingSeconds = 10;

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
