import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { setArguments } from "../../../tools/playground/playground";
import { type Bench, nameOf, openBench, typeOf } from "../cluster/harness";

// What Pulumi's own options and flags do to the component is what they do to any other.

let bench: Bench;

const withOptions = (options: object) => bench.stack.setObject("options", options);
const changed = async (args: string[] = []) =>
    (await bench.preview(args))
        .filter(({ op }) => op !== "same")
        .map((step) => `${step.op} ${typeOf(step)} ${nameOf(step)}`);
const urnOf = async (type: string) =>
    (await bench.resources()).find((resource) => typeOf(resource) === type)!.urn;

beforeAll(async () => {
    bench = await openBench({ arguments: { controlPlaneCount: 1 } });
    const program = join(__dirname, "program/index.js");
    writeFileSync(
        bench.folder.projectFile,
        `name: quickstart\nruntime: nodejs\nmain: ${program}\n`,
    );
    await bench.pulumi(["up", "--yes", "--skip-preview"]);
});
afterAll(() => bench?.close());

test("aliases: a renamed cluster is the same cluster", async () => {
    await withOptions({ name: "second", alias: "first" });
    expect(await changed()).toEqual([]);
    await bench.pulumi(["up", "--yes", "--skip-preview"]);
    expect((await bench.resources()).map(nameOf)).toContain("second-cp-1");
});

test("--target: only what is named changes", async () => {
    await withOptions({ name: "second" });
    await setArguments(bench.stack, [
        "apiServerExtraArgs.goaway-chance=0.001",
        "apiServerAllowedCidrs[0]=10.0.0.0/8",
    ]);
    const group = await urnOf("SecurityGroup");
    expect(await changed(["--target", group])).toEqual(["update SecurityGroup second"]);
    await bench.pulumi(["up", "--yes", "--skip-preview", "--target", group]);
    const left = await changed();
    expect(left.join()).not.toContain("SecurityGroup");
    expect(left).toContain("update NodeBundle second-cp-1");
    await bench.pulumi(["up", "--yes", "--skip-preview"]);
    expect(await changed()).toEqual([]);
});

test("ignoreChanges, by a transform: the image of a running node may differ", async () => {
    await setArguments(bench.stack, ["controlPlaneImageId=2"]);
    const { code, stdout } = await bench.stack.capture(["preview"]);
    expect([code === 0, stdout]).toEqual([
        false,
        expect.stringContaining("cannot change in place"),
    ]);
    await withOptions({ name: "second", ignoredOfVms: ["imageId"] });
    expect(await changed()).toEqual([]);
    await setArguments(bench.stack, ["controlPlaneImageId=1"]);
});

test("protect: nothing of the cluster is destroyed", async () => {
    await withOptions({ name: "second", protect: true });
    await bench.pulumi(["up", "--yes", "--skip-preview"]);
    const before = [await bench.inventory(), (await bench.resources()).length];
    const text = await bench.pulumi(["destroy", "--yes", "--skip-preview"], 1);
    expect(text).toContain("protect");
    expect([await bench.inventory(), (await bench.resources()).length]).toEqual(before);
    await withOptions({ name: "second" });
    await bench.pulumi(["up", "--yes", "--skip-preview"]);
});

test("random bytes are drawn once, and are a secret wherever they go", async () => {
    await bench.stack.set("draw", true);
    await bench.pulumi(["up", "--yes", "--skip-preview"]);
    const drawn = async () =>
        (await bench.stack.capture(["stack", "output", "drawn", "--show-secrets"])).stdout.trim();
    const bytes = await drawn();
    expect(bytes).toMatch(/^[0-9a-f]{64}$/);
    const shown = await bench.stack.capture(["stack", "output"]);
    expect(shown.stdout).toMatch(/drawn +\[secret\]/);
    expect(JSON.stringify(await bench.resources())).not.toContain(bytes);
    await bench.pulumi(["up", "--yes", "--refresh", "--skip-preview"]);
    expect(await drawn()).toBe(bytes);
    await bench.stack.set("draw", false);
    expect(await changed()).toEqual(["delete RandomBytes drawn"]);
    await bench.pulumi(["up", "--yes", "--skip-preview"]);
});

test("retainOnDelete: the state forgets the cluster, which goes on", async () => {
    await withOptions({ name: "second", retainOnDelete: true });
    await bench.pulumi(["up", "--yes", "--skip-preview"]);
    const before = await bench.inventory();
    await bench.pulumi(["destroy", "--yes", "--skip-preview"]);
    expect(await bench.inventory()).toEqual(before);
    expect(await bench.resources()).toEqual([]);
});
