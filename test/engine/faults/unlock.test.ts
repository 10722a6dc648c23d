import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { openBench, type Bench } from "../cluster/harness";
import { endAll, kill } from "./kill";
import { isProgress } from "./kill-points";
import { unlock } from "./unlock";

// What `excloud-k8s unlock` refuses.

let bench: Bench;

beforeAll(async () => {
    bench = await openBench({ arguments: { controlPlaneCount: 1 } });
});
afterAll(() => bench?.close());

test("a run that goes on keeps its lock; a dead one keeps it until somebody says yes", async () => {
    const { pulumi, env, project, name } = bench.stack.options;
    const args = ["up", "--yes", "--skip-preview", "--stack", name, "--non-interactive"];
    const stdio = ["ignore", "pipe", "ignore"] as const;
    const engine = spawn(pulumi, args, { cwd: project, env, stdio: [...stdio] });
    for await (const line of createInterface({ input: engine.stdout })) {
        if (isProgress(line)) {
            break;
        }
    }
    // Stopped, so that the run does not end meanwhile.
    engine.kill("SIGSTOP");
    const ofLiving = await unlock(bench.stack);
    expect([ofLiving.code, ofLiving.text]).toEqual([
        1,
        expect.stringMatching(/process \d+\) goes on/),
    ]);

    const ended = once(engine, "exit");
    endAll(await kill(engine.pid!, false));
    await ended;
    const unasked = await unlock(bench.stack, []);
    expect([unasked.code, unasked.text]).toEqual([
        1,
        expect.stringContaining("no terminal to ask at"),
    ]);
    expect(unasked.text).toContain("locked by");
    expect((await unlock(bench.stack)).code).toBe(0);
});
