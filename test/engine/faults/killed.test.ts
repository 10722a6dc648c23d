import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { nameOf, openBench, typeOf, type Bench } from "../cluster/harness";
import { descendantsOf, isAlive, up } from "./support";

// The machine that runs Pulumi dies while VMs are being created.

const slots = ["cp-1", "cp-2", "cp-3"];
const pendingWarning = /pending operation/;

let bench: Bench;
let left: number[];

beforeAll(async () => {
    bench = await openBench();
});
afterAll(() => bench?.close());

test("the engine and its provider are killed while VMs are being created", async () => {
    const engine = startUp();
    while ((await bench.vms()).length === 0) {
        expect(engine.exitCode).toBeNull();
        await sleep(20);
    }
    await kill(engine);

    left = (await bench.vms()).map(({ vm_id }) => vm_id);
    expect(left.length).toBeGreaterThan(0);
    const { stdout } = await bench.stack.capture(["stack", "export"]);
    const { deployment } = JSON.parse(stdout) as {
        deployment: { pending_operations?: { resource: { urn: string }; type: string }[] };
    };
    const pending = deployment.pending_operations?.filter(
        ({ resource }) => typeOf(resource) === "VirtualMachine",
    );
    expect(pending?.map(({ type }) => type)).toContain("creating");
    const known = (await bench.resources()).filter((r) => typeOf(r) === "VirtualMachine");
    expect(known.map(nameOf)).toEqual([]);
});

test("after cancel, up takes over the VMs that were left", async () => {
    await bench.pulumi(["cancel", "--yes"]);
    const { code, text } = await up(bench.stack);
    expect([code, text]).toEqual([0, expect.stringMatching(pendingWarning)]);
    expect(text).toContain("was left by an interrupted run: adopted");

    const vms = await bench.vms();
    expect(vms.map(({ name }) => name.slice(-4)).sort()).toEqual(slots);
    expect(vms.map(({ vm_id }) => vm_id)).toEqual(expect.arrayContaining(left));
    const known = (await bench.resources()).filter((r) => typeOf(r) === "VirtualMachine");
    expect(known.map(({ id }) => Number(id)).sort()).toEqual(vms.map(({ vm_id }) => vm_id).sort());
});

test("refresh clears the warning about what was under way", async () => {
    await bench.pulumi(["refresh", "--clear-pending-creates", "--yes", "--skip-preview"]);
    const text = await bench.pulumi(["preview", "--expect-no-changes"]);
    expect(text).not.toMatch(pendingWarning);
    expect(await bench.vms()).toHaveLength(3);
});

test("destroy leaves nothing", async () => {
    await bench.pulumi(["destroy", "--yes", "--skip-preview"]);
    expect(Object.values(await bench.inventory()).flat()).toEqual([]);
    expect(await bench.resources()).toEqual([]);
});

function startUp(): ChildProcess {
    const { pulumi, env, project, name } = bench.stack.options;
    const flags = ["--yes", "--skip-preview", "--stack", name, "--non-interactive"];
    return spawn(pulumi, ["up", ...flags], { cwd: project, env, stdio: "ignore" });
}

/** Kills a process and all it started, and waits until none of them is left. */
async function kill(engine: ChildProcess): Promise<void> {
    const ended = once(engine, "exit");
    // Children first found, then all killed: the engine could otherwise start to clean up.
    const all = [engine.pid!, ...descendantsOf(engine.pid!)];
    expect(all.length).toBeGreaterThan(2);
    for (const pid of all.filter(isAlive)) {
        process.kill(pid, "SIGKILL");
    }
    await ended;
    while (all.some(isAlive)) {
        await sleep(20);
    }
}
