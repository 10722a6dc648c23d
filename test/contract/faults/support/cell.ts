import { setTimeout as sleep } from "node:timers/promises";

import { operations } from "../../../../provider/api/operations";
import type { FaultKind } from "excloud-local/faults";

import { cluster, type Variant } from "./program";
import { OperationError, SmallEngine } from "./small-engine";
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

let clusters = 0;

/** How the security groups are named that are the user's own. */
const usersPrefix = "users-own-";

/** What an error names: the call, or the thing with its id, or the input. */
const subject = /(GET|POST|PUT|DELETE) http|[a-zA-Z]+ \S+ \(\d+\)|^\w+: \w+: /;

/** A cluster of its own in a world that is shared. */
class Life {
    readonly engine = new SmallEngine();
    private readonly program: ReturnType<typeof cluster>;
    private readonly first: Variant;
    private readonly second: Variant;

    constructor(private readonly world: World) {
        clusters += 1;
        const usersOwn = (which: string) => {
            const name = `${usersPrefix}${clusters}-${which}`;
            return world.cloud.call("securityGroupCreate", { name }).id;
        };
        this.program = cluster(`organization/matrix/cell-${clusters}`, world.contextOf);
        this.first = { ports: ["22", "6443"], text: "one", groups: [usersOwn("a")], ttl: 60 };
        this.second = { ports: ["443", "6443"], text: "two", groups: [usersOwn("b")], ttl: 120 };
    }

    /** What has to be there before a phase. */
    async prepare(phase: Phase): Promise<void> {
        if (phase === "create") return;
        await this.engine.up(this.program(this.first));
        if (phase !== "update") return;
        const { cloud } = this.world;
        const vm_id = Number(this.engine.idOf("vm"));
        cloud.call("vmStop", { vm_id });
        while (cloud.call("vmGet", { vm_id }).state !== "STOPPED") await sleep(2);
        await this.engine.refresh();
    }

    /** What the phase is for; with a fault it may fail. */
    async run(phase: Phase): Promise<void> {
        if (phase === "refresh") return this.engine.refresh();
        if (phase === "delete") return this.engine.destroy();
        await this.up(phase);
    }

    /** Gives the operations that were needed. */
    up(phase: Phase): Promise<string[]> {
        return this.engine.up(this.program(this.variantOf(phase)));
    }

    private variantOf(phase: Phase): Variant {
        return phase === "update" ? this.second : this.first;
    }

    /** In which ways the cloud does not hold exactly what is declared. */
    differences(phase: Phase): string[] {
        const { vms, volumes, records, securityGroups } = this.world.cloud.inventory();
        const variant = this.variantOf(phase);
        const [own] = securityGroups.filter(({ name }) => !name.startsWith(usersPrefix));
        const rules = own
            ? this.world.cloud.call("ruleList", { security_group_id: own.id })
            : undefined;
        const found = {
            vms: vms.map(({ vm_id, state }) => `${vm_id} ${state}`),
            volumes: volumes.length,
            groups: securityGroups.length,
            bound: vms.flatMap(
                ({ vm_id }) =>
                    this.world.cloud.call("vmGet", { vm_id }).interfaces?.[0]?.security_group_ids,
            ),
            rules: rules?.map((rule) => rule.port_range).sort(),
            records: records.map(({ name, ttl }) => `${name} ${ttl}`),
        };
        const wanted = {
            vms: [`${this.engine.idOf("vm")} RUNNING`],
            volumes: 1,
            groups: 3,
            bound: [own?.id, ...variant.groups],
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
    await sweep(world);
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
            if (!subject.test(message)) return `the error names no call: ${message}`;
            if (!/Next: ./.test(message)) return `the error gives no next step: ${message}`;
        }
        if (phase !== "delete") {
            await life.up(phase);
            const differences = life.differences(phase);
            if (differences.length > 0) return `after the next up ${differences.join("; ")}`;
            await life.engine.refresh();
            const steps = await life.up(phase);
            if (steps.length > 0) return `the up after that does not rest: ${steps.join(", ")}`;
        }
        await life.engine.destroy();
        const left = Object.entries(world.cloud.inventory())
            .flatMap(([what, things]) => (things as object[]).map((thing) => ({ what, ...thing })))
            .filter((thing) => !("name" in thing && String(thing.name).startsWith(usersPrefix)));
        return left.length === 0 ? undefined : `left behind: ${JSON.stringify(left)}`;
    } catch (error) {
        return `without the fault: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
        faults.clear();
        await sweep(world);
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
async function sweep({ cloud }: World): Promise<void> {
    for (;;) {
        const { vms, securityGroups, records } = cloud.inventory();
        for (const { vm_id, state } of vms) {
            if (state !== "TERMINATING") cloud.terminateVm(vm_id);
        }
        for (const record of records) cloud.deleteRecord(record);
        if (vms.length === 0) {
            for (const { id } of securityGroups) {
                cloud.call("securityGroupDelete", { security_group_id: id });
            }
            return;
        }
        await sleep(5);
    }
}
