/**
 * The number of this contract. It rises with every change that one side must know of: what was 0.1 counts
 * as 1, 2 brought pools. A server serves the programs and agents of its own number and of the two before it.
 */
export const contractNumber = 2;

/** The number of servers that do not tell theirs. */
export const firstContractNumber = 1;

/** The header of every answer that holds the server's number. */
export const contractHeader = "x-exk8s-contract";

/**
 * The number in an answer to `GET /ready`, whatever its status. Undefined when something else answered, such as a
 * proxy.
 */
export function contractIn(text: string): number | undefined {
    try {
        const answer = JSON.parse(text) as { status?: unknown; contract?: unknown } | null;
        if (typeof answer?.status !== "string") {
            return undefined;
        }
        return typeof answer.contract === "number" ? answer.contract : firstContractNumber;
    } catch {
        return undefined;
    }
}
