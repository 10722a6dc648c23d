import { expect, test } from "@jest/globals";
import fc from "fast-check";

import {
    generationToServe,
    holderOf,
    inFlight,
    isSilent,
    releaseTime,
    type RolloutNode,
    silenceMs,
} from "../../../bootstrap-server/src/rules/rollout";

/** A moment, in seconds from some start. */
const at = (seconds: number) => new Date(Date.UTC(2030, 0) + seconds * 1000);
const node = (slot: string, more: Partial<RolloutNode> = {}): RolloutNode => ({
    slot,
    role: slot.startsWith("cp-") ? "control-plane" : "worker",
    bound: true,
    desired: "old",
    released: "old",
    releasedAt: null,
    reported: "old",
    healthy: true,
    booted: true,
    silent: false,
    ...more,
});
const served = (...nodes: [RolloutNode, ...RolloutNode[]]) => generationToServe(nodes[0], nodes);
const wanting = (slot: string, more: Partial<RolloutNode> = {}) =>
    node(slot, { desired: "new", ...more });

test("a new generation goes to a node when no other control plane is in flight", () => {
    expect(served(wanting("cp-1"), wanting("cp-2"), node("worker-1"))).toBe("new");
});

test.each([
    ["applying", node("cp-2", { released: "new" })],
    ["unhealthy", node("cp-2", { healthy: false })],
    ["booting", node("cp-2", { reported: null, healthy: false, booted: false })],
    ["silent since its good report", node("cp-2", { silent: true })],
    ["bound and never heard of", node("cp-2", { released: null, reported: null, healthy: false })],
])("it waits while another control plane is %s", (_what, other) => {
    expect(served(wanting("cp-1"), other)).toBe("old");
    expect(served(wanting("worker-1"), other)).toBe("old");
});

test("slots without a VM and workers hold nobody up", () => {
    const empty = node("cp-2", { bound: false, released: null, reported: null, healthy: false });
    expect(served(wanting("cp-1"), empty, node("worker-1", { healthy: false }))).toBe("new");
});

test("a node that boots is served freely", () => {
    const busy = node("cp-2", { healthy: false });
    const booting = wanting("cp-1", { released: null, reported: null, booted: false });
    expect(served(booting, busy)).toBe("new");
    expect(served({ ...booting, released: "old" }, busy)).toBe("new");
});

test("without a bundle there is nothing to serve", () => {
    expect(served(node("cp-1", { desired: null, released: null }))).toBeNull();
});

test("being unwell for a moment lets no second node into a change", () => {
    const changing = node("cp-1", { released: "new", releasedAt: at(1) });
    expect(served(wanting("cp-2", { healthy: false }), changing)).toBe("old");
    expect(served(wanting("cp-2", { healthy: false, releasedAt: at(0) }), changing)).toBe("old");
    const applying = wanting("cp-2", { released: "older", releasedAt: at(0) });
    expect(served(applying, changing)).toBe("older");
});

test("the node that was given a change last may be given a newer one: it may be its cure", () => {
    const changing = wanting("cp-1", { released: "bad", releasedAt: at(2) });
    const unwell = { healthy: false, silent: true };
    expect(served(changing, node("cp-2", unwell), node("cp-3", unwell))).toBe("new");
    expect(served(changing, node("cp-2", { ...unwell, releasedAt: at(1) }))).toBe("new");
    expect(served(changing, node("cp-2", { ...unwell, releasedAt: at(3) }))).toBe("bad");
    // None of them was given a change: one may go first.
    const all = ["cp-2", "cp-9", "cp-10"].map((slot) => wanting(slot, { healthy: false }));
    const going = all.filter((one) => generationToServe(one, all) === "new");
    expect(going.map(({ slot }) => slot)).toEqual(["cp-10"]);
});

test("who holds a node up is named", () => {
    const silent = node("cp-2", { silent: true });
    const changing = node("cp-3", { released: "new", releasedAt: at(1) });
    const holder = (...nodes: [RolloutNode, ...RolloutNode[]]) => holderOf(nodes[0], nodes)?.slot;
    expect(holder(wanting("cp-1"), silent)).toBe("cp-2");
    expect(holder(wanting("cp-1"), silent, changing)).toBe("cp-3");
    expect(holder(wanting("worker-1"), silent)).toBe("cp-2");
    expect(holder(node("cp-1"), silent)).toBeUndefined();
    expect(holder(wanting("cp-1"), node("cp-2"))).toBeUndefined();
    expect(holder(wanting("cp-1", { bound: false }), silent)).toBeUndefined();
    // It is not silent when it asks, so its own silence lets it pass nobody.
    expect(holder(wanting("cp-3", { silent: true }), silent)).toBe("cp-2");
});

test("a node is silent after five minutes, and not before it was first heard of", () => {
    expect(silenceMs).toBe(300_000);
    expect(isSilent(null, at(0))).toBe(false);
    expect(isSilent(at(0), at(300))).toBe(false);
    expect(isSilent(at(0), at(301))).toBe(true);
});

test("releases keep their order when the clock is set back", () => {
    const cluster = [node("cp-1", { releasedAt: at(9) }), node("cp-2")];
    expect(releaseTime(cluster, at(10))).toEqual(at(10));
    expect(releaseTime(cluster, at(5)).getTime()).toBeGreaterThan(at(9).getTime());
});

const kinds = ["want", "fetch", "good", "bad", "late", "silent", "replace"] as const;
type Step = { kind: (typeof kinds)[number]; slot: number };
const step: fc.Arbitrary<Step> = fc.record({
    // Fetches are the most frequent thing, as on real nodes.
    kind: fc.constantFrom(...kinds, "fetch" as const, "fetch" as const),
    slot: fc.integer({ min: 0, max: 3 }),
});

/** A cluster as the server keeps it: what nodes fetch and report in any order. */
class Cluster {
    readonly nodes = ["cp-1", "cp-2", "cp-3", "worker-1"].map((slot) => node(slot));
    /**
     * Running control planes that were given a change and have not reported it in good health since:
     * the nodes that a bad change may have taken.
     */
    readonly unproven = new Set<string>();
    private generation = 0;

    do({ kind, slot }: Step): void {
        const one = this.nodes[slot] as RolloutNode;
        if (kind !== "want" && kind !== "silent" && kind !== "replace") {
            one.silent = false;
        }
        switch (kind) {
            case "want":
                one.desired = `generation-${++this.generation}`;
                break;
            case "fetch":
                this.fetch(one);
                break;
            case "good":
            case "bad":
                one.reported = one.released;
                one.healthy = kind === "good" && one.released !== null;
                one.booted ||= one.healthy;
                break;
            case "late":
                // A report from before its last release: good, but of another generation.
                if (one.booted) {
                    Object.assign(one, { reported: "old", healthy: true });
                }
                break;
            case "silent":
                one.silent = true;
                break;
            case "replace":
                Object.assign(one, node(one.slot, { ...unheard, desired: one.desired }));
                this.unproven.delete(one.slot);
        }
        if (one.reported === one.released && one.healthy) {
            this.unproven.delete(one.slot);
        }
    }

    private fetch(one: RolloutNode): void {
        const next = generationToServe(one, this.nodes);
        if (next === one.released) {
            return;
        }
        const othersInFlight = this.nodes.filter((other) => other !== one && inFlight(other));
        if (one.booted) {
            if (!inFlight(one)) {
                expect(othersInFlight).toEqual([]);
            }
            one.releasedAt = releaseTime(this.nodes, at(0));
            if (one.role === "control-plane") {
                this.unproven.add(one.slot);
            }
        }
        one.released = next;
    }
}

const unheard = { released: null, reported: null, healthy: false, booted: false } as const;

test("whatever happens: at most one running control plane has a change that did not prove good", () => {
    fc.assert(
        fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
            const cluster = new Cluster();
            for (const one of steps) {
                cluster.do(one);
                expect(cluster.unproven.size).toBeLessThanOrEqual(1);
            }
        }),
        { numRuns: 1000 },
    );
});

test("whatever happened: it is no dead end", () => {
    fc.assert(
        fc.property(fc.array(step, { maxLength: 80, size: "max" }), fc.string(), (steps, cure) => {
            const cluster = new Cluster();
            for (const one of steps) {
                cluster.do(one);
            }
            // All are unwell until they have the cure; each is heard of, and takes what it is given.
            for (const one of cluster.nodes) {
                one.desired = `cure ${cure}`;
                one.healthy = false;
            }
            for (let round = 0; round < cluster.nodes.length; round++) {
                for (const slot of cluster.nodes.keys()) {
                    cluster.do({ kind: "fetch", slot });
                    const cured = cluster.nodes[slot]?.released === `cure ${cure}`;
                    cluster.do({ kind: cured ? "good" : "bad", slot });
                }
            }
            expect(cluster.nodes.map((one) => one.released)).toEqual(
                cluster.nodes.map((one) => one.desired),
            );
        }),
        { numRuns: 500 },
    );
});
