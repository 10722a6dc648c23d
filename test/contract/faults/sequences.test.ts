import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type FaultKind, faultKinds, kindsFor } from "excloud-local/faults";
import * as fc from "fast-check";

import { type OperationName, operations } from "../../../provider/api/operations";
import { isFull } from "../../support/sample";
import { seed } from "../../support/seed";
import { Life } from "./support/life";
import { OperationError } from "./support/small-engine";
import { openWorld, type World } from "./support/world";

// Anything may happen to a cluster, in any order. In the end a refresh and an up make it whole again, and
// a destroy leaves nothing, with that up or without it.

let world: World;

beforeAll(async () => {
    world = await openWorld();
});
afterAll(() => world?.close());

type Which = "first" | "second";

/** What happens to a cluster. What the user does may fail, as after what happened before. */
type Event =
    | { event: "up"; variant: Which }
    | { event: "refresh" }
    | { event: "destroy" }
    | { event: "fault"; operation: OperationName; kind: FaultKind; times: number }
    | { event: "clear" }
    | { event: "kill"; during: "up" | "destroy"; variant: Which; call: number; hasEffect: boolean }
    | { event: "drift"; drift: keyof typeof drifts };

/** What somebody does behind the user's back, where there is something to do it to. */
const drifts = {
    "the VM is terminated": ({ engine }: Life) => {
        world.cloud.terminateVm(Number(engine.idOf("vm")));
    },
    "the VM is stopped": ({ engine }: Life) => {
        world.cloud.call("vmStop", { vm_id: Number(engine.idOf("vm")) });
    },
    "a rule is removed": ({ engine }: Life) => {
        const id = Number(engine.idOf("group"));
        const [rule] = world.cloud.call("ruleList", { security_group_id: id });
        if (rule !== undefined) {
            world.cloud.deleteRule(rule.id);
        }
    },
    "the record is deleted": () => {
        world.cloud.inventory().records.forEach((record) => world.cloud.deleteRecord(record));
    },
    "the record is edited": () => {
        const [record] = world.cloud.inventory().records;
        if (record === undefined) {
            return;
        }
        world.cloud.deleteRecord(record);
        world.cloud.call("recordCreate", { ...record, value: "127.9.9.9" });
    },
} satisfies Record<string, (life: Life) => void>;

const which = fc.constantFrom<Which>("first", "second");
const event: fc.Arbitrary<Event> = fc.oneof(
    fc.record({ event: fc.constant("up" as const), variant: which }),
    fc.record({ event: fc.constant("refresh" as const) }),
    fc.record({ event: fc.constant("destroy" as const) }),
    fc.record({ event: fc.constant("clear" as const) }),
    fc
        .record({
            event: fc.constant("fault" as const),
            operation: fc.constantFrom(...(Object.keys(operations) as OperationName[])),
            kind: fc.constantFrom(...(Object.keys(faultKinds) as FaultKind[])),
            times: fc.constantFrom(1, 2, Infinity),
        })
        .filter(({ operation, kind }) => kindsFor(operation).includes(kind)),
    fc.record({
        event: fc.constant("kill" as const),
        during: fc.constantFrom("up" as const, "destroy" as const),
        variant: which,
        call: fc.nat(40),
        hasEffect: fc.boolean(),
    }),
    fc.record({
        event: fc.constant("drift" as const),
        drift: fc.constantFrom(...(Object.keys(drifts) as (keyof typeof drifts)[])),
    }),
);

/** How a cluster ends: made whole once more, or destroyed as it is. */
const end = fc.constantFrom<Which | "destroy">("first", "second", "destroy");

async function happen(one: Event, life: Life): Promise<void> {
    const { engine, variants } = life;
    switch (one.event) {
        case "up":
            return unlessItFails(life.up(variants[one.variant]));
        case "refresh":
            return unlessItFails(engine.refresh());
        case "destroy":
            return unlessItFails(engine.destroy());
        case "fault":
            world.cloud.faults.add(one);
            return;
        case "clear":
            return world.cloud.faults.clear();
        case "kill": {
            const run = () =>
                one.during === "up" ? life.up(variants[one.variant]) : engine.destroy();
            return unlessItFails(world.kill(run, one.call, one.hasEffect));
        }
        case "drift":
            try {
                drifts[one.drift](life);
            } catch {
                // There is nothing that it could befall.
            }
    }
}

async function unlessItFails(run: Promise<unknown>): Promise<void> {
    await run.catch((error: unknown) => {
        if (!(error instanceof OperationError)) {
            throw error;
        }
    });
}

test(
    "whatever happens, a refresh and an up make the cluster whole, and a destroy leaves nothing",
    async () => {
        await fc.assert(
            fc.asyncProperty(fc.array(event, { maxLength: 8 }), end, async (events, last) => {
                const life = new Life(world);
                try {
                    for (const one of events) {
                        await happen(one, life);
                    }
                    world.cloud.faults.clear();
                    await life.engine.refresh();
                    if (last !== "destroy") {
                        await life.up(life.variants[last]);
                        expect(life.differences(life.variants[last])).toEqual([]);
                        await life.engine.refresh();
                        expect(await life.up(life.variants[last])).toEqual([]);
                    }
                    await life.engine.destroy();
                    expect(life.left()).toEqual([]);
                } finally {
                    world.cloud.faults.clear();
                    await life.sweep();
                }
            }),
            { seed, numRuns: isFull ? 300 : 12, endOnFailure: !isFull },
        );
    },
    60 * 60_000,
);
