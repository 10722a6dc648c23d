import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { setArguments } from "../../../tools/playground/playground";
import { type Bench, openBench } from "../cluster/harness";
import { stackWith, stopBootstrapServer, up } from "../faults/support";
import { command } from "./command";

// `excloud-k8s status` and `doctor` beside the real Pulumi CLI, from an empty stack to a server that is
// gone. The tests build on each other.

let bench: Bench;

beforeAll(async () => {
    bench = await openBench({ arguments: { controlPlaneCount: 1 } });
});
afterAll(() => bench?.close());

const levels = (text: string) => text.match(/^(warn|fail) +.*?(?= {2})/gm) ?? [];

test("before the first up there is nothing to show, and nothing amiss", async () => {
    const status = await command(bench.stack, "status");
    expect([status.code, status.text]).toEqual([1, expect.stringContaining("no cluster yet")]);
    const doctor = await command(bench.stack, "doctor");
    expect([doctor.code, doctor.text]).toEqual([0, expect.stringContaining("no cluster yet")]);
    expect(doctor.text).not.toMatch(/^fail/m);
});

test("a watched up ends with a cluster that is ready", async () => {
    expect((await up(bench.stack)).code).toBe(0);
    const { code, text } = await command(bench.stack, "status", ["--watch"]);
    expect([code, text]).toEqual([0, expect.stringMatching(/^exk8s-\S+ \(cluster .*\): ready$/m)]);
    expect(text).toMatch(/^cp-1 {2}VM \d+ {2}127\.\S+ {2}healthy, has its newest files/m);
    expect(text).toMatch(/^ {4}applied +done/m);
});

test("with it, the doctor finds all well", async () => {
    const { code, text } = await command(bench.stack, "doctor");
    expect([code, levels(text)]).toEqual([0, []]);
    expect(text).not.toContain(bench.services.environment["EXCLOUD_BOOTSTRAP_TOKEN"]);
});

test("an update is shown without the phases of the boot", async () => {
    await setArguments(bench.stack, ["apiServerExtraArgs.goaway-chance=0.001"]);
    const { code, text } = await up(bench.stack);
    expect([code, text]).toEqual([0, expect.stringContaining("cp-1  ready")]);
    expect(text).not.toMatch(/cp-1 {2}install/);
});

test("a wrong passphrase is found out", async () => {
    const stack = stackWith(bench, { PULUMI_CONFIG_PASSPHRASE: "wrong" });
    const { code, text } = await command(stack, "doctor");
    expect([code, levels(text)]).toEqual([1, ["fail  configuration"]]);
});

test("without the bootstrap server both say so", async () => {
    await stopBootstrapServer(bench);
    const status = await command(bench.stack, "status");
    expect([status.code, status.text]).toEqual([1, expect.stringContaining("got no answer")]);
    const doctor = await command(bench.stack, "doctor");
    expect(doctor.code).toBe(1);
    expect(levels(doctor.text)[0]).toBe("fail  bootstrap server");
});
