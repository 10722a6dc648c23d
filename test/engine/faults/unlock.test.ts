import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { unlock } from "../cli/command";
import { type Bench, filesBelow, openBench } from "../cluster/harness";
import { endAll, kill } from "./kill";
import { isProgress } from "./kill-points";

// What `excloud-k8s unlock` refuses, and a state that Pulumi itself cannot read any more.

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

test("a file of attributes that was cut off is deleted, and the state is read again", async () => {
    const [file] = filesBelow(bench.folder.state).filter((name) =>
        /stacks.*json\.attrs$/.test(name),
    );
    writeFileSync(file!, "");
    const broken = await bench.stack.capture(["stack", "export"]);
    expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining("EOF")]);

    const unasked = await unlock(bench.stack, []);
    expect([unasked.code, unasked.text]).toEqual([1, expect.stringContaining("is cut off")]);
    const { code, text } = await unlock(bench.stack);
    expect([code, text]).toEqual([0, expect.stringContaining("nothing to do")]);
    expect((await bench.resources()).length).toBeGreaterThan(1);
});
