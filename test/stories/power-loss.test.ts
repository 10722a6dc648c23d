import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { eventually } from "../support/real-nodes/real-cluster";
import { Story } from "../support/real-nodes/story";
import { lookUp, othersOf, slots } from "../support/real-nodes/whole";

let story: Story;

beforeAll(async () => {
    story = await Story.begin();
});
afterAll(() => story?.cluster.close());

test.each(slots)("%s loses its power: the others take writes, and it comes back", async (slot) => {
    const { cluster } = story;
    const [other] = othersOf(slot);
    const vm = await cluster.vmId(slot);
    const { writes } = await story.watched(other, async () => {
        await sleep(3_000);
        process.kill(await cluster.pid(slot), "SIGKILL");
        // The end of a machine waits for its disk, on a host that others write to as well.
        await cluster.mustBecome("STOPPED", [vm], 180);
        await sleep(10_000);
        await eventually(20, async () => expect(await lookUp(cluster, other)).toBe("10.96.0.1"));
        await cluster.bench.cloud("vmStart", { vm_id: vm });
    });
    expect(writes.failed).toEqual([]);
    await story.mustHeal(180);
});

test("all nodes reboot at once, and the cluster comes back by itself", async () => {
    const { cluster } = story;
    const vms = await Promise.all(slots.map((slot) => cluster.vmId(slot)));
    await Promise.all(vms.map((vm_id) => cluster.bench.cloud("vmRestart", { vm_id })));
    await cluster.mustBecome("RUNNING", vms, 120);
    await story.mustHeal(240);
});
