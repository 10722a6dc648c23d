import type { FaultKind } from "excloud-local/faults";

import { operations } from "../../../../provider/api/operations";
import { Life } from "./life";
import type { Variant } from "./program";
import { OperationError } from "./small-engine";
import type { World } from "./world";

export const phases = ["create", "update", "refresh", "delete"] as const;
export type Phase = (typeof phases)[number];

/** One way in which one operation goes wrong in one phase of a cluster's life. */
export interface Cell {
    readonly phase: Phase;
    readonly operation: string;
    readonly kind: FaultKind;
    /** Only the first call is hit, or every call until the fault is cleared. */
    readonly lasts: "once" | "on";
}

export const describeCell = ({ phase, operation, kind, lasts }: Cell): string =>
    `${phase}: ${operation}, ${kind}, ${lasts === "once" ? "once" : "until cleared"}`;

/** What an error names: the call, or the thing by its id or name, or the input. */
const subject =
    /(GET|POST|PUT|DELETE) http|[a-zA-Z]+ \S+ \(\d+\)|DNS name \S+|security group \d+|cluster \S+, whose|^\w+: \w+: /;

/** What to do. */
const advice = /Next: ./;

/** What has to be there before a phase. */
async function prepare(life: Life, phase: Phase): Promise<void> {
    if (phase === "create") {
        return;
    }
    await life.up(life.variants.first);
    if (phase !== "update") {
        return;
    }
    await life.stopVm();
    await life.engine.refresh();
}

const variantAfter = ({ variants }: Life, phase: Phase): Variant =>
    phase === "update" ? variants.second : variants.first;

/** What the phase is for; with a fault it may fail. */
async function run(life: Life, phase: Phase): Promise<void> {
    if (phase === "refresh") {
        return life.engine.refresh();
    }
    if (phase === "delete") {
        return life.engine.destroy();
    }
    await life.up(variantAfter(life, phase));
}

/** Runs a phase without faults; gives the operations that it called. */
export async function callsOf(phase: Phase, world: World, hasImage = true): Promise<string[]> {
    const life = new Life(world, hasImage);
    await prepare(life, phase);
    world.called.clear();
    await run(life, phase);
    const called = [...world.called];
    await life.engine.destroy();
    await life.sweep();
    return called;
}

/** Runs a cell from nothing to nothing. Gives what is wrong, if anything is. */
export async function faultOf(cell: Cell, world: World): Promise<string | undefined> {
    const { phase, operation, kind, lasts } = cell;
    const life = new Life(world);
    const faults = operation in operations ? world.cloud.faults : world.bootstrapFaults;
    try {
        await prepare(life, phase);
        const fault = faults.add({
            operation: operation as never,
            kind,
            times: lasts === "once" ? 1 : Infinity,
        });
        const message = await messageOf(run(life, phase));
        if (fault.hits === 0) {
            return "the fault was not hit";
        }
        faults.clear();
        if (message !== undefined) {
            if (!subject.test(message)) {
                return `the error names no call: ${message}`;
            }
            if (!advice.test(message)) {
                return `the error gives no next step: ${message}`;
            }
        }
        if (phase !== "delete") {
            const wanted = variantAfter(life, phase);
            await life.up(wanted);
            const differences = life.differences(wanted);
            if (differences.length > 0) {
                return `after the next up ${differences.join("; ")}`;
            }
            await life.engine.refresh();
            const steps = await life.up(wanted);
            if (steps.length > 0) {
                return `the up after that does not rest: ${steps.join(", ")}`;
            }
        }
        await life.engine.destroy();
        const left = life.left();
        return left.length === 0 ? undefined : `left behind: ${left.join(", ")}`;
    } catch (error) {
        return `without the fault: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
        faults.clear();
        await life.sweep();
    }
}

/** The message of an operation that failed; undefined when none did. */
async function messageOf(run: Promise<unknown>): Promise<string | undefined> {
    try {
        await run;
        return undefined;
    } catch (error) {
        if (error instanceof OperationError) {
            return error.message;
        }
        throw error;
    }
}
