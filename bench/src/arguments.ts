import { InvalidArgumentError } from "commander";

/** Reads how often something is to be measured, once at least. */
export function parseRepeats(text: string): number {
    const repeats = Number(text);
    if (!Number.isInteger(repeats) || repeats < 1) {
        throw new InvalidArgumentError("give a whole number, at least 1");
    }
    return repeats;
}
