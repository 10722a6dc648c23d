import { kindsFor } from "excloud-local/faults";

import { callsOf, type Cell, phases } from "./cell";
import type { World } from "./world";

/** Every cell of the matrix: each operation that a phase calls, with each kind of fault that can befall it. */
export async function cellsOf(world: World, hasImage = true): Promise<Cell[]> {
    const cells: Cell[] = [];
    for (const phase of phases) {
        for (const operation of (await callsOf(phase, world, hasImage)).sort()) {
            for (const kind of kindsFor(operation)) {
                for (const lasts of ["once", "on"] as const) {
                    cells.push({ phase, operation, kind, lasts });
                }
            }
        }
    }
    return cells;
}
