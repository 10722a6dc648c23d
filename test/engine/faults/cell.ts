import { expect } from "@jest/globals";

import type { OperationName } from "excloud-k8s/api";

import { describeCell, type Cell, type Phase } from "../../contract/faults/support/cell";
import type { Bench } from "../cluster/harness";
import { bindOtherGroup, editRecord, stopVm } from "./behind";
import { declared, found } from "./leftovers";
import { addFault, clearFaults, listFaults, stackTrace, up } from "./support";

/** How long things may take, for runs that wait for what never comes. Seconds. */
export const timeouts = { vmCreate: 40, vmDelete: 40, ready: 120 };

/** A bench with a cluster that cells of the matrix befall, one after the other. */
export interface Victim {
    readonly bench: Bench;
    /** A security group that is somebody else's. */
    readonly otherGroup: number;
}

const flags = ["--yes", "--skip-preview"];

const commands: Record<Phase, string> = {
    create: "up",
    update: "up",
    refresh: "refresh",
    delete: "destroy",
};

/** Runs a cell on the real engine, from whatever the cell before it left. */
export async function runCell(victim: Victim, cell: Cell): Promise<void> {
    const { bench } = victim;
    await prepare(victim, cell.phase);
    const { code, text, wasHit } = await runWithFault(bench, cell);
    mustHold(cell, text, {
        "the fault was hit": wasHit,
        "the error names the resource": code === 0 || resource.test(text),
        "the error names the call, the thing or the input": code === 0 || subject.test(text),
        "the error gives the next step": code === 0 || /Next: ./.test(text),
        "no stack trace is shown": !stackTrace.test(text),
    });
    const repair = await up(bench.stack);
    mustHold(cell, repair.text, { "the next up succeeds": repair.code === 0 });
    await mustHoldWhatIsDeclared(victim, cell);
    const rest = await bench.stack.capture(["preview", "--expect-no-changes"]);
    mustHold(cell, rest.stdout + rest.stderr, { "a preview is empty then": rest.code === 0 });
}

/** Runs the command of a cell's phase while its fault is there. */
async function runWithFault(bench: Bench, { phase, operation, kind, lasts }: Cell) {
    // Of the cloud's operations alone; and JSON has no infinity.
    const name = operation as OperationName;
    const times = lasts === "once" ? {} : { times: null as unknown as number };
    await addFault(bench, { operation: name, kind, ...times });
    try {
        const { code, stdout, stderr } = await bench.stack.capture([commands[phase], ...flags]);
        const [fault] = await listFaults(bench);
        return { code, text: stdout + stderr, wasHit: fault!.hits > 0 };
    } finally {
        await clearFaults(bench);
    }
}

/** What an error names: the resource by its type and name; the call, or the thing with its id, or the input. */
const resource = /excloud-k8s:\w+[: (]+.*quickstart/;
const subject = /(GET|POST|PUT|DELETE) http|[a-zA-Z]+ \S+ \(\d+\)|property \w+/;

function mustHold(cell: Cell, text: string, claims: Readonly<Record<string, boolean>>): void {
    const broken = Object.keys(claims).filter((claim) => !claims[claim]);
    if (broken.length > 0) {
        throw new Error(
            `${describeCell(cell)}: it does not hold that ${broken.join(", ")}\n${text}`,
        );
    }
}

/** What has to be there before a phase. */
async function prepare({ bench, otherGroup }: Victim, phase: Phase): Promise<void> {
    if (phase === "create") {
        await destroy({ bench, otherGroup });
        return;
    }
    await bench.pulumi(["up", ...flags]);
    if (phase === "update") {
        await stopVm(bench);
        await editRecord(bench);
        await bindOtherGroup(bench, otherGroup);
        await bench.pulumi(["refresh", ...flags]);
        updates += 1;
        await bench.stack.set("cluster.apiServerAllowedCidrs[0]", `10.0.${updates}.0/24`);
    }
}

let updates = 0;

/** Ends the cluster; nothing of it may be left. */
export async function destroy({ bench, otherGroup }: Victim): Promise<void> {
    await bench.pulumi(["destroy", ...flags]);
    expect(await found(bench)).toEqual([`group ${otherGroup}`]);
    expect(await bench.resources()).toEqual([]);
}

async function mustHoldWhatIsDeclared({ bench, otherGroup }: Victim, cell: Cell): Promise<void> {
    const inState = [...declared(await bench.resources()), `group ${otherGroup}`].sort();
    expect([describeCell(cell), await found(bench)]).toEqual([describeCell(cell), inState]);
    expect((await bench.vms()).map(({ state }) => state)).toEqual(["RUNNING"]);
}
