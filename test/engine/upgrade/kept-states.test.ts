import { rmSync } from "node:fs";

import { expect, test } from "@jest/globals";

import { openBench, type Step, typeOf } from "../cluster/harness";
import { keep, releases, stackOf } from "./kept-state";

// The states that releases left in users' backends. The present code must take every one of them over: it
// may bring new files to the nodes, and must not touch anything else.

/** What holds nothing but files, and what waits until nodes have them. */
const filesOnly = ["RoleFiles", "NodeBundle", "ClusterReadiness"];

const release = process.env["EXCLOUD_KEEP_STATE"];
if (release !== undefined) {
    test("the state of this release is kept", async () => {
        const bench = await openBench({
            arguments: {
                controlPlaneCount: 1,
                // So that the certificates need no renewal while the state is looked at.
                certificates: { validityDays: 3650, renewBeforeDays: 1 },
            },
        });
        try {
            await bench.pulumi(["up", "--yes", "--skip-preview"]);
            await keep(release, bench);
            await bench.pulumi(["destroy", "--yes", "--skip-preview"]);
        } finally {
            await bench.close();
        }
    });
}

test.each(releases)("a cluster of %s gets new files at most", async (name) => {
    const stack = await stackOf(name);
    try {
        const { code, stdout, stderr } = await stack.capture(["preview", "--json"]);
        expect([code, stderr]).toEqual([0, ""]);
        const steps = (JSON.parse(stdout) as { steps: Step[] }).steps;
        const changed = steps.filter(({ op }) => op !== "same");
        expect(
            changed.filter((step) => step.op !== "update" || !filesOnly.includes(typeOf(step))),
        ).toEqual([]);
        expect(steps.length).toBeGreaterThan(0);
    } finally {
        rmSync(stack.options.project, { recursive: true, force: true });
    }
});
