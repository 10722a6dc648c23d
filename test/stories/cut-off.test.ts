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

test.each(slots)("%s is cut off: the others take writes, and it comes back", async (slot) => {
    const { cluster } = story;
    const [other] = othersOf(slot);
    const { writes } = await story.watched(other, async () => {
        await sleep(3_000);
        await cluster.cable(slot, "down");
        await sleep(20_000);
        await eventually(20, async () => expect(await lookUp(cluster, other)).toBe("10.96.0.1"));
        await cluster.cable(slot, "up");
    });
    expect(writes.failed).toEqual([]);
    await story.mustHeal(120);
});
