import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { kindsFor } from "excloud-local/faults";

import { callsOf, describeCell, faultOf, phases, type Cell } from "./support/cell";
import { openWorld, type World } from "./support/world";

// Every operation that the providers call x every kind of fault x {create, update, delete}.

let world: World;
let cells: Cell[];

beforeAll(async () => {
    world = await openWorld();
    cells = [];
    for (const phase of phases) {
        for (const operation of await callsOf(phase, world)) {
            for (const kind of kindsFor(operation)) {
                cells.push({ phase, operation, kind, lasts: "once" });
                cells.push({ phase, operation, kind, lasts: "on" });
            }
        }
    }
});
afterAll(() => world?.close());

test("cells", async () => {
    const only = process.env["ONLY"];
    const failures: string[] = [];
    let n = 0;
    const begin = Date.now();
    for (const cell of cells.filter((c) => !only || new RegExp(only).test(describeCell(c)))) {
        n++;
        const t = Date.now();
        const fault = await faultOf(cell, world);
        const took = Date.now() - t;
        if (took > 3000) console.error("slow", took, describeCell(cell));
        if (fault) { failures.push(`${describeCell(cell)}: ${fault}`); console.error(failures.at(-1)); }
    }
    console.error(n, "cells of", cells.length, "in", Date.now() - begin);
    expect(failures).toEqual([]);
}, 3_600_000);
