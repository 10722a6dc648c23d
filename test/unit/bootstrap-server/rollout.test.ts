import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
    generationToServe,
    inFlight,
    type RolloutNode,
} from "../../../bootstrap-server/src/rules/rollout";

const node = (slot: string, more: Partial<RolloutNode> = {}): RolloutNode => ({
    slot,
    role: slot.startsWith("cp-") ? "control-plane" : "worker",
    bound: true,
    desired: "old",
    released: "old",
    reported: "old",
    healthy: true,
    booted: true,
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
    ["bound and silent", node("cp-2", { released: null, reported: null, healthy: false })],
])("it waits while another control plane is %s", (_what, other) => {
    expect(served(wanting("cp-1"), other)).toBe("old");
    expect(served(wanting("worker-1"), other)).toBe("old");
});

test("slots without a VM and workers hold nobody up", () => {
    const empty = node("cp-2", { bound: false, released: null, reported: null, healthy: false });
    expect(served(wanting("cp-1"), empty, node("worker-1", { healthy: false }))).toBe("new");
});

test("a node that boots is served freely, and a node in flight may be given a newer one", () => {
    const busy = node("cp-2", { healthy: false });
    const booting = wanting("cp-1", { released: null, reported: null, booted: false });
    expect(served(booting, busy)).toBe("new");
    expect(served({ ...booting, released: "old" }, busy)).toBe("new");
    expect(served(wanting("cp-1", { healthy: false }), busy)).toBe("new");
});

test("without a bundle there is nothing to serve", () => {
    expect(served(node("cp-1", { desired: null, released: null }))).toBeNull();
});

type Step = { kind: "want" | "fetch" | "good" | "bad"; slot: number };
const step: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom("want", "fetch", "good", "bad"),
    slot: fc.integer({ min: 0, max: 3 }),
});

test("whatever happens: the gate never brings a second control plane into flight", () => {
    fc.assert(
        fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
            const nodes = ["cp-1", "cp-2", "cp-3", "worker-1"].map((slot) => node(slot));
            let generation = 0;
            for (const { kind, slot } of steps) {
                const one = nodes[slot] as RolloutNode;
                if (kind === "want") one.desired = `generation-${++generation}`;
                if (kind === "fetch") {
                    const before = inFlight(one);
                    const others = nodes.filter((other) => other !== one && inFlight(other));
                    const next = generationToServe(one, nodes);
                    if (next !== one.released && !before) expect(others).toEqual([]);
                    one.released = next;
                }
                if (kind === "good" || kind === "bad") {
                    one.reported = one.released;
                    one.healthy = kind === "good";
                }
            }
            // It is no dead end: once every node is healthy, all get what is wanted, one by one.
            for (let round = 0; round < nodes.length; round++) {
                for (const one of nodes) {
                    one.reported = one.released;
                    one.healthy = true;
                    one.released = generationToServe(one, nodes);
                    one.reported = one.released;
                }
            }
            expect(nodes.map((one) => one.released)).toEqual(nodes.map((one) => one.desired));
        }),
        { numRuns: 500 },
    );
});
