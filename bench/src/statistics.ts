/** What repeats of one measurement gave. */
export interface Summary {
    readonly median: number;
    readonly min: number;
    readonly max: number;
    readonly all: readonly number[];
}

/** @throws Error when there is nothing to summarize */
export function summarize(all: readonly number[]): Summary {
    const sorted = [...all].sort((a, b) => a - b);
    const [min, max] = [sorted[0], sorted.at(-1)];
    const low = sorted[Math.floor((sorted.length - 1) / 2)];
    const high = sorted[Math.ceil((sorted.length - 1) / 2)];
    if (min === undefined || max === undefined || low === undefined || high === undefined) {
        throw new Error("no measurement was made");
    }
    return { median: (low + high) / 2, min, max, all };
}
