import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { Story } from "../support/real-nodes/story";

let story: Story;

beforeAll(async () => {
    story = await Story.begin({ controlPlaneCount: 1 });
});
afterAll(() => story?.cluster.close());

test("one control plane grows to three, and no write is lost meanwhile", async () => {
    const { writes } = await story.watched("cp-1", async () => {
        await story.cluster.bench.stack.set("cluster.controlPlaneCount", 3);
        await story.cluster.up();
    });
    expect(writes.failed).toEqual([]);
    await story.mustHeal(120);
});
