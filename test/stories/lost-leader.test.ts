import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { eventually } from "../support/real-nodes/real-cluster";
import { Story } from "../support/real-nodes/story";
import { etcdctl, othersOf, slots } from "../support/real-nodes/whole";

let story: Story;

beforeAll(async () => {
    story = await Story.begin();
});
afterAll(() => story?.cluster.close());

/** Ids of a member of etcd and of the leader it follows. */
async function membership(slot: string): Promise<{ own: number; leader: number }> {
    const { stdout } = await etcdctl(
        story.cluster,
        slot,
        ...["endpoint", "status", "--write-out=json"],
    );
    const [status] = JSON.parse(stdout) as [
        { Status: { leader: number; header: { member_id: number } } },
    ];
    return { own: status.Status.header.member_id, leader: status.Status.leader };
}

test("etcd's leader stops: another leads, and no write is lost", async () => {
    const states = await Promise.all(
        slots.map(async (slot) => ({ slot, ...(await membership(slot)) })),
    );
    const first = states.find(({ own, leader }) => own === leader)!;
    const [other] = othersOf(first.slot);
    const { writes } = await story.watched(other, async () => {
        await story.cluster.onNode(first.slot, "systemctl", "stop", "etcd");
        const others = states.filter(({ own }) => own !== first.own).map(({ own }) => own);
        await eventually(30, async () =>
            expect(others).toContain((await membership(other)).leader),
        );
        await story.cluster.onNode(first.slot, "systemctl", "start", "etcd");
    });
    expect(writes.failed).toEqual([]);
    await story.mustHeal(120);
});
