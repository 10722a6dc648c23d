import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { operations } from "../../../provider/api/operations";
import { type Cell, describeCell, phases } from "../../contract/faults/support/cell";
import { cellsOf } from "../../contract/faults/support/cells";
import { sampleOf } from "../../contract/faults/support/sample";
import { openWorld } from "../../contract/faults/support/world";
import { isFull } from "../../support/sample";
import { seed } from "../../support/seed";
import { openBench } from "../cluster/harness";
import { timeouts, Victim } from "./cell";

// Cells of the fault matrix (test/contract/faults) on the real engine: those whose operation is the
// cloud's, drawn by a seed. They befall one cluster, each what the one before it left.

let victim: Victim;
let cells: Cell[];

beforeAll(async () => {
    const world = await openWorld();
    const all = await cellsOf(world, false);
    await world.close();
    cells = chosenOf(all.filter(({ operation }) => operation in operations));
    const bench = await openBench({ arguments: { controlPlaneCount: 1, timeouts } });
    const { id } = await bench.cloud("securityGroupCreate", { name: "others" });
    victim = new Victim(bench, id);
});
afterAll(() => victim?.bench.close());

/** In a full run every operation in every phase, and every kind; else one cell of each phase. */
function chosenOf(all: readonly Cell[]): Cell[] {
    const only = process.env["EXCLOUD_CELLS"];
    if (only !== undefined) {
        return all.filter((cell) => describeCell(cell).includes(only));
    }
    // The real client waits half a minute for each answer that does not come.
    const bearable = all.filter(({ kind, lasts }) => !(kind.startsWith("hang") && lasts === "on"));
    const drawn = sampleOf(bearable, 0, seed);
    const byPhase = phases.map((phase) => drawn.filter((cell) => cell.phase === phase));
    return byPhase.flatMap((of) => (isFull ? of : of.slice(0, 1)));
}

test(
    "after any fault the next up repairs everything",
    async () => {
        process.stderr.write(`${cells.length} cells\n`);
        expect(cells.length).toBeGreaterThan(0);
        const faults: string[] = [];
        for (const cell of cells) {
            const fault = await victim.befall(cell).catch((error: Error) => error.message);
            process.stderr.write(`${describeCell(cell)}: ${fault ?? "repaired"}\n`);
            if (fault !== undefined) {
                faults.push(`${describeCell(cell)}: ${fault}`);
            }
        }
        expect(faults).toEqual([]);
    },
    60 * 60_000,
);

test("destroy leaves nothing", () => victim.destroy());
