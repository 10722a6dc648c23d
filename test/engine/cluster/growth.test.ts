import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { setArguments } from "../../../tools/playground/playground";
import { type Bench, nameOf, openBench, typeOf } from "./harness";

let bench: Bench;

beforeAll(async () => {
    bench = await openBench({ arguments: { controlPlaneCount: 1 } });
    await bench.pulumi(["up", "--yes", "--skip-preview"]);
});
afterAll(() => bench?.close());

test("a cluster of one control plane grows to three, and its first VM stays", async () => {
    const [first] = await bench.vms();
    await setArguments(bench.stack, ["controlPlaneCount=3"]);
    const old = (await bench.preview()).filter(
        (step) => !["same", "create"].includes(step.op) && typeOf(step) !== "Stack",
    );
    expect(old.map((step) => `${step.op} ${typeOf(step)} ${nameOf(step)}`).sort()).toEqual([
        "update ClusterReadiness quickstart",
        "update DnsRecord quickstart",
        "update RoleFiles quickstart-control-plane",
    ]);
    const output = await bench.pulumi(["up", "--yes", "--skip-preview"]);
    for (const slot of ["cp-1", "cp-2", "cp-3"]) {
        expect(output).toContain(`${slot}  ready`);
    }
    const vms = await bench.vms();
    expect(vms).toHaveLength(3);
    expect(vms).toContainEqual(first);
    await bench.pulumi(["preview", "--expect-no-changes"]);
    await bench.pulumi(["destroy", "--yes", "--skip-preview"]);
    expect(Object.values(await bench.inventory()).flat()).toEqual([]);
});
