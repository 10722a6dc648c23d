import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { operations } from "../../../provider/api/operations";
import { bootstrapOperations } from "../../../provider/bootstrap/operations";
import { isFull } from "../../support/sample";
import { seed } from "../../support/seed";
import { type Cell, describeCell, faultOf } from "./support/cell";
import { cellsOf } from "./support/cells";
import { sampleOf } from "./support/sample";
import { tablesOf } from "./support/tables";
import { openWorld, type World } from "./support/world";

// Every operation that the providers call x every kind of fault x {create, update, refresh, delete}, each once and
// until it is cleared: whatever happens, the next `up` or `destroy` repairs it.

/** Cells of a run that does not take them all. */
const sampleSize = 60;
/** Cells that are tried side by side, each in a world of its own: they mostly wait. */
const lanes = isFull ? 10 : 3;

let worlds: World[];
let cells: Cell[];

beforeAll(async () => {
    worlds = await Promise.all(Array.from({ length: lanes }, openWorld));
    const [world] = worlds as [World];
    cells = await cellsOf(world);
});
afterAll(() => Promise.all((worlds ?? []).map((world) => world.close())));

/** What no cluster of this package calls by itself, or only together with running nodes. */
const notInTheMatrix = {
    "only for a bundle that goes without its VM": ["deleteBundle"],
    "only for adoption": ["bindingList", "vmRename"],
    "only where a call found nothing": ["zoneList"],
    "only where an interrupted run left a VM": ["getVmBinding"],
    "not called": ["listClusters", "me", "vmRestart"],
    "only of a server of 0.1": ["getRoleFiles"],
    "with running nodes": ["getStatus"],
};

test("every operation of the tables is tried, but for those with a reason", () => {
    const tried = new Set(cells.map(({ operation }) => operation));
    const all = [...Object.keys(operations), ...Object.keys(bootstrapOperations)];
    expect(all.filter((operation) => !tried.has(operation)).sort()).toEqual(
        Object.values(notInTheMatrix).flat().sort(),
    );
});

test(
    "after any fault the next up or destroy repairs everything",
    async () => {
        const only = process.env["EXCLOUD_CELLS"];
        const chosen =
            only !== undefined
                ? cells.filter((cell) => describeCell(cell).includes(only))
                : isFull
                  ? cells
                  : sampleOf(cells, sampleSize, seed);
        const queue = [...chosen];
        const faults: string[] = [];
        await Promise.all(
            worlds.map(async (world) => {
                for (let cell = queue.shift(); cell !== undefined; cell = queue.shift()) {
                    const fault = await faultOf(cell, world);
                    if (fault !== undefined) {
                        faults.push(`${describeCell(cell)}: ${fault}`);
                    }
                }
            }),
        );
        console.info(`${chosen.length} of ${cells.length} cells, ${faults.length} not whole`);
        expect(chosen.length).toBeGreaterThan(0);
        expect(faults).toEqual([]);
    },
    60 * 60_000,
);

test("docs/reliability.md shows the matrix as it is", () => {
    const file = join(__dirname, "../../../docs/reliability.md");
    const begin = "<!-- matrix -->";
    const end = "<!-- /matrix -->";
    const text = readFileSync(file, "utf8");
    const page = [
        text.slice(0, text.indexOf(begin) + begin.length),
        tablesOf(cells),
        text.slice(text.indexOf(end)),
    ].join("\n\n");
    if (process.env["UPDATE_GOLDEN"] === "1") {
        writeFileSync(file, page);
    }
    expect(readFileSync(file, "utf8")).toBe(page);
});
