import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { outputsOf } from "../../../tools/playground/playground";
import { vmRequest } from "../../support/vm-request";
import { type Bench, openBench } from "../cluster/harness";
import { addFault, listFaults, stackTrace, up } from "./support";

// An `up` of which half fails, each node in a way of its own, and the `up` that mends it.

let bench: Bench;
let clusterName: string;
let survivor: number;

const vmOf = async (slot: string) =>
    (await bench.vms()).filter(({ name }) => name === `${clusterName}-${slot}`);

beforeAll(async () => {
    bench = await openBench();
    // The name by which the cluster's VMs will go: a registration is adopted by the same key.
    const key = "organization/quickstart/playground/quickstart";
    clusterName = (await bench.bootstrap("registerCluster", { key })).name;
});
afterAll(() => bench?.close());

test("each failure names its resource, the call or what was seen, and what to do next", async () => {
    const namesake = await bench.cloud(
        "vmCreate",
        vmRequest({ name: `${clusterName}-cp-2`, image_id: 2 }),
    );
    for (const [slot, kind] of [
        ["cp-1", "reset-after"],
        ["cp-3", "status-403"],
    ] as const) {
        const match = { name: `${clusterName}-${slot}` };
        await addFault(bench, { operation: "vmCreate", kind, match });
    }

    const { code, text } = await up(bench.stack, ["--continue-on-error"]);
    expect((await listFaults(bench)).map(({ hits }) => hits)).toEqual([1, 1]);
    expect(code).not.toBe(0);
    expect(text).not.toMatch(stackTrace);
    expect(text).toMatch(/VirtualMachine.* quickstart-cp-2/);
    expect(text).toContain(
        `a VM named ${clusterName}-cp-2 (${namesake.vm_id}) exists with ` +
            "image ubuntu-22.04-latest, not ubuntu-24.04-latest. " +
            "Next: terminate it when it is not needed",
    );
    expect(text).toMatch(/VirtualMachine.* quickstart-cp-3/);
    expect(text).toContain(
        `POST ${bench.services.computeUrl}/compute/create answered 403 (compute.auth.forbidden): ` +
            "no policy allows this principal to do this",
    );
    expect(text).toContain("Next: the credential may not do this");
});

test("a creation whose answer was lost is found again, not repeated", async () => {
    const found = await vmOf("cp-1");
    expect(found).toHaveLength(1);
    survivor = found[0]!.vm_id;
    expect(await vmOf("cp-2")).toHaveLength(1);
    expect(await vmOf("cp-3")).toHaveLength(0);
});

test("once the causes are gone, the next up completes what is there", async () => {
    const [namesake] = await vmOf("cp-2");
    await bench.cloud("vmTerminate", { vm_id: namesake!.vm_id, delete_root_volume: true });

    const { code, text } = await up(bench.stack);
    expect([code, text]).toEqual([0, expect.stringContaining("cp-3  ready")]);
    const vms = (await bench.vms()).filter(({ state }) => state === "RUNNING");
    expect(vms.map(({ name }) => name).sort()).toEqual(
        ["cp-1", "cp-2", "cp-3"].map((slot) => `${clusterName}-${slot}`),
    );
    expect((await vmOf("cp-1")).map(({ vm_id }) => vm_id)).toEqual([survivor]);
    expect((await outputsOf(bench.stack))["name"]).toBe(clusterName);
});

test("destroy leaves nothing", async () => {
    await bench.pulumi(["destroy", "--yes", "--skip-preview"]);
    expect(Object.values(await bench.inventory()).flat()).toEqual([]);
    expect(await bench.resources()).toEqual([]);
});
