import { operations } from "../../../../provider/api/operations";
import { bootstrapOperations } from "../../../../provider/bootstrap/operations";
import type { FaultKind } from "excloud-local/faults";

import { cluster, firstVariant, type Variant } from "./program";
import { OperationError, SmallEngine } from "./small-engine";
import type { World } from "./world";

export const phases = ["create", "update", "delete"] as const;
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

const everyOperation = { ...operations, ...bootstrapOperations };
let clusters = 0;

/** A cluster of its own in a world that is shared. */
class Life {
    readonly engine = new SmallEngine();
    private readonly program: ReturnType<typeof cluster>;
    private readonly second: Variant;

    constructor(private readonly world: World) {
        clusters += 1;
        const { id } = world.cloud.call("securityGroupCreate", { name: `users-own-${clusters}` });
        this.program = cluster(`organization/matrix/cell-${clusters}`, world.contextOf);
        this.second = { ports: ["6443", "443"], text: "two", groups: [id], ttl: 120 };
    }

    /** What has to be there before a phase. */
    async prepare(phase: Phase): Promise<void> {
        if (phase === "create") return;
        await this.engine.up(this.program());
        if (phase === "delete") return;
        const { cloud } = this.world;
        const vm_id = Number(this.engine.idOf("vm"));
        cloud.call("vmStop", { vm_id });
        while (cloud.call("vmGet", { vm_id }).state !== "STOPPED") {
            await new Promise((resolve) => setTimeout(resolve, 2));
        }
        await this.engine.refresh();
    }

    variantOf(phase: Phase): Variant {
        return phase === "update" ? this.second : firstVariant;
    }

    run(phase: Phase): Promise<unknown> {
        return phase === "delete"
            ? this.engine.destroy()
            : this.engine.up(this.program(this.variantOf(phase)));
    }

    /** In which ways the cloud does not hold exactly what is declared. */
    differences(phase: Phase): string[] {
        const { vms, volumes, records, securityGroups } = this.world.cloud.inventory();
        const variant = this.variantOf(phase);
        const [own] = securityGroups.filter(({ name }) => !name.startsWith("users-own-"));
        const rules = own
            ? this.world.cloud.call("ruleList", { security_group_id: own.id })
            : undefined;
        const found = {
            vms: vms.map(({ vm_id, state }) => `${vm_id} ${state}`),
            volumes: volumes.length,
            groups: securityGroups.length,
            rules: rules?.map((rule) => rule.port_range).sort(),
            records: records.map(({ name, ttl }) => `${name} ${ttl}`),
        };
        const wanted = {
            vms: [`${this.engine.idOf("vm")} RUNNING`],
            volumes: 1,
            groups: 2,
            rules: [...variant.ports].sort(),
            records: [`${own?.name} ${variant.ttl}`],
        };
        return (Object.keys(wanted) as (keyof typeof wanted)[])
            .filter((what) => JSON.stringify(found[what]) !== JSON.stringify(wanted[what]))
            .map(
                (what) =>
                    `${what} are ${JSON.stringify(found[what])}, not ${JSON.stringify(wanted[what])}`,
            );
    }
}

/** Runs a phase without faults; gives the operations that it called. */
export async function callsOf(phase: Phase, world: World): Promise<string[]> {
    const life = new Life(world);
    await life.prepare(phase);
    world.called.clear();
    await life.run(phase);
    const called = [...world.called];
    await life.engine.destroy();
    sweep(world);
    return called;
}

/** Runs a cell from nothing to nothing. Gives what is wrong, if anything is. */
export async function faultOf(cell: Cell, world: World): Promise<string | undefined> {
    const { phase, operation, kind, lasts } = cell;
    const life = new Life(world);
    const faults = operation in operations ? world.cloud.faults : world.bootstrapFaults;
    try {
        await life.prepare(phase);
        const fault = faults.add({
            operation: operation as never,
            kind,
            times: lasts === "once" ? 1 : Infinity,
        });
        const message = await messageOf(life.run(phase));
        if (fault.hits === 0) return "the fault was not hit";
        faults.clear();
        if (message !== undefined) {
            const { method } = everyOperation[operation as keyof typeof everyOperation];
            const namesCall = message.includes(`${method} http`) || kind.startsWith("vm-");
            if (!namesCall) return `the error names no call: ${message}`;
            if (!/Next: ./.test(message)) return `the error gives no next step: ${message}`;
        }
        if (phase !== "delete") {
            await life.run(phase);
            const differences = life.differences(phase);
            if (differences.length > 0) return `after the next up ${differences.join("; ")}`;
            await life.engine.refresh();
            const steps = (await life.run(phase)) as string[];
            if (steps.length > 0) return `the up after that does not rest: ${steps.join(", ")}`;
        }
        await life.engine.destroy();
        const left = Object.entries(world.cloud.inventory())
            .flatMap(([what, things]) => (things as object[]).map((thing) => ({ what, ...thing })))
            .filter((thing) => !("name" in thing && String(thing.name).startsWith("users-own-")));
        return left.length === 0 ? undefined : `left behind: ${JSON.stringify(left)}`;
    } catch (error) {
        return `without the fault: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
        faults.clear();
        sweep(world);
    }
}

/** The message of an operation that failed; undefined when none did. */
async function messageOf(run: Promise<unknown>): Promise<string | undefined> {
    try {
        await run;
        return undefined;
    } catch (error) {
        if (error instanceof OperationError) return error.message;
        throw error;
    }
}

/** Empties the cloud, so that one cell does not show in the next. */
function sweep({ cloud }: World): void {
    const { vms, securityGroups, records } = cloud.inventory();
    for (const { vm_id, state } of vms) {
        if (state !== "TERMINATING") cloud.terminateVm(vm_id);
    }
    for (const record of records) cloud.deleteRecord(record);
    for (const { id } of securityGroups) {
        try {
            cloud.call("securityGroupDelete", { security_group_id: id });
        } catch {
            // Still held by a VM on its way out; the cell that left it has failed already.
        }
    }
}
