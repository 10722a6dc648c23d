import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import {
    afterBinding,
    afterReport,
    beginFounding,
    etcdAnswer,
    type Founding,
    type FoundingSlot,
    majority,
} from "../../../bootstrap-server/src/rules/founding";

const names = ["cp-1", "cp-2", "cp-3"];
const slots = (...vmIds: (number | null)[]): FoundingSlot[] => slotsWith([], vmIds);
/** Slots of which those named ran etcd on their present VM. */
const slotsWith = (ran: readonly string[], vmIds: readonly (number | null)[]): FoundingSlot[] =>
    vmIds.map((vmId, index) => ({
        slot: names[index] as string,
        vmId,
        name: `${names[index]}.cluster`,
        address: vmId === null ? null : `10.0.0.${vmId}`,
        hasBundle: vmId !== null,
        etcdRan: ran.includes(names[index] as string),
    }));
const unfounded: Founding = { state: "unfounded" };
const founding: Founding = {
    state: "founding",
    set: [1, 2, 3].map((vmId) => ({
        slot: `cp-${vmId}`,
        vmId,
        name: `cp-${vmId}.cluster`,
        address: `10.0.0.${vmId}`,
    })),
};

test.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [5, 3],
])("the majority of %i is %i", (size, expected) => {
    expect(majority(size)).toBe(expected);
});

describe("the founding set", () => {
    test("is frozen when every slot has a VM and a bundle", () => {
        expect(beginFounding(unfounded, names, slots(1, 2, 3))).toEqual(founding);
    });
    test.each([
        ["a slot without VM", names, slots(1, 2, null)],
        ["a slot that is missing", names, slots(1, 2)],
        ["no role files", undefined, slots(1, 2, 3)],
        ["no slots", [], slots(1, 2, 3)],
    ])("is not frozen with %s", (_what, expected, present) => {
        expect(beginFounding(unfounded, expected, present)).toBe(unfounded);
    });
    test("is not frozen without a bundle", () => {
        const present = slots(1, 2, 3).map((slot) => ({
            ...slot,
            hasBundle: slot.slot !== "cp-2",
        }));
        expect(beginFounding(unfounded, names, present)).toBe(unfounded);
    });
    test("founds with a majority of its own VMs", () => {
        const ran = ["cp-1", "cp-2"];
        expect(afterReport(founding, slotsWith(ran, [1, 2, 3])).state).toBe("founded");
        expect(afterReport(founding, slotsWith(["cp-1"], [1, 2, 3]))).toBe(founding);
        expect(afterReport(founding, slotsWith(ran, [1, 9, 3]))).toBe(founding);
    });
    test("is given up when a majority is on other VMs", () => {
        expect(afterBinding(founding, slots(1, 2, 9))).toBe(founding);
        expect(afterBinding(founding, slots(1, 8, 9))).toEqual(unfounded);
        expect(afterBinding(founding, slots(1, null, null))).toEqual(unfounded);
    });
    test("stays founded while one VM that ran a member is bound, and is forgotten with the last", () => {
        const founded: Founding = { ...founding, state: "founded" };
        expect(afterBinding(founded, slotsWith(["cp-3"], [7, 8, 9]))).toBe(founded);
        expect(afterBinding(founded, slotsWith(["cp-3"], [null, null, 9]))).toBe(founded);
        expect(afterBinding(founded, slots(7, 8, 9))).toEqual(unfounded);
        expect(afterBinding(founded, [])).toEqual(unfounded);
    });
});

test("who starts a new etcd, who joins, who waits", () => {
    expect(etcdAnswer(unfounded, "cp-1", 1)).toEqual({ state: "wait" });
    expect(etcdAnswer(founding, "cp-1", 1)).toEqual({
        state: "new",
        members: [1, 2, 3].map((n) => ({ name: `cp-${n}.cluster`, address: `10.0.0.${n}` })),
    });
    expect(etcdAnswer(founding, "cp-1", 9)).toEqual({ state: "wait" });
    expect(etcdAnswer({ ...founding, state: "founded" }, "cp-1", 1)).toEqual({
        state: "existing",
    });
});

type Step = { kind: "bind" | "fetch" | "report"; slot: number };
const step: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom("bind", "fetch", "report"),
    slot: fc.integer({ min: 0, max: 2 }),
});

test("whatever happens: one set founds, only its VMs start anew, and none again while one of them or of those that joined is left", () => {
    fc.assert(
        fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
            let state: Founding = unfounded;
            let founded: Founding | undefined;
            let nextVm = 1;
            const vms: (number | null)[] = [null, null, null];
            const running = new Set<string>();
            const present = () => slotsWith([...running], vms);
            for (const { kind, slot } of steps) {
                const name = names[slot] as string;
                if (kind === "bind") {
                    vms[slot] = nextVm++;
                    running.delete(name);
                    state = afterBinding(state, present());
                    if (running.size === 0) {
                        founded = undefined;
                    }
                } else if (kind === "fetch") {
                    state = beginFounding(state, names, present());
                    const vm = vms[slot] ?? null;
                    if (vm !== null && etcdAnswer(state, name, vm).state === "new") {
                        expect(founded).toBeUndefined();
                        expect(state).toMatchObject({
                            set: expect.arrayContaining([
                                expect.objectContaining({ slot: name, vmId: vm }),
                            ]),
                        });
                    }
                } else if (vms[slot] !== null) {
                    running.add(name);
                    state = afterReport(state, present());
                }
                if (founded) {
                    expect(state).toEqual(founded);
                } else if (running.size === 0) {
                    expect(state.state).not.toBe("founded");
                }
                if (state.state === "founded") {
                    founded ??= state;
                }
            }
        }),
        { numRuns: 500 },
    );
});
