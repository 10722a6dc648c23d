import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { Story } from "../support/real-nodes/story";
import { othersOf } from "../support/real-nodes/whole";

let story: Story;

beforeAll(async () => {
    story = await Story.begin();
});
afterAll(() => story?.cluster.close());

test.each(["cp-3", "cp-1"])(
    "%s is replaced on a fresh disk; the others never stop",
    async (slot) => {
        const { cluster } = story;
        const old = await cluster.vmId(slot);
        const others = othersOf(slot);
        const starts = () =>
            Promise.all(others.map((other) => cluster.processStart(other, "kube-apiserver")));
        const before = await starts();
        const { writes } = await story.watched(others[0], async () => {
            await cluster.bench.stack.set("cluster.controlPlaneImageId", 2);
            await cluster.bench.stack.set("cluster.replaceNodes[0]", slot);
            await cluster.up();
        });
        expect(await cluster.vmId(slot)).not.toBe(old);
        expect(writes.failed).toEqual([]);
        expect(await starts()).toEqual(before);
        await story.mustHeal(180);
    },
);
