import type { Cell } from "./cell";

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
    let state = seed;
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
}

/** Cells drawn by chance: first such that every operation in every phase and every kind is there, then any. */
export function sampleOf(cells: readonly Cell[], size: number, random: () => number): Cell[] {
    const drawn = cells
        .map((cell) => ({ cell, at: random() }))
        .sort((a, b) => a.at - b.at)
        .map(({ cell }) => cell);
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
