import * as fc from "fast-check";

import type { Cell } from "./cell";

/** Cells drawn by chance: first such that every operation in every phase and every kind is there, then any. */
export function sampleOf(cells: readonly Cell[], size: number, seed: number): Cell[] {
    const shuffled = fc.shuffledSubarray([...cells], { minLength: cells.length });
    const [drawn = []] = fc.sample(shuffled, { seed, numRuns: 1 });
    const seen = new Set<string>();
    const isNew = ({ phase, operation, kind }: Cell) => {
        const marks = [`${phase} ${operation}`, kind];
        const fresh = marks.some((mark) => !seen.has(mark));
        marks.forEach((mark) => seen.add(mark));
        return fresh;
    };
    const first = drawn.filter(isNew);
    const rest = drawn.filter((cell) => !first.includes(cell));
    return [...first, ...rest.slice(0, Math.max(size - first.length, 0))];
}
