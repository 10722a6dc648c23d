/** Whether all points of a test are to run, by `npm run test:full`, and not only a sample of them. */
export const isFull = process.env["EXCLOUD_FULL"] === "1";

/** All of several where all are to run, else the one whose turn it is at this commit. */
export function inTurn<T>(all: readonly T[]): T[] {
    const turn = Number(process.env["EXCLOUD_TURN"] ?? 0);
    return isFull ? [...all] : all.filter((_, index) => index === turn % all.length);
}
