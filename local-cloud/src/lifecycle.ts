import { conflict } from "./http/errors";
import type { VmRow, VmState } from "./state/model";
import type { Store } from "./state/store";

/** How long a VM stays in each state that passes by itself, in milliseconds. */
export interface LifecycleDelays {
    readonly creating: number;
    readonly starting: number;
    readonly stopping: number;
    readonly restarting: number;
    readonly terminating: number;
}

/** States that end by themselves: what follows, after which delay. */
const passing: Partial<Record<VmState, { to: VmState; after: keyof LifecycleDelays }>> = {
    CREATING: { to: "STARTING", after: "creating" },
    STARTING: { to: "RUNNING", after: "starting" },
    STOPPING: { to: "STOPPED", after: "stopping" },
    RESTARTING: { to: "RUNNING", after: "restarting" },
    TERMINATING: { to: "TERMINATED", after: "terminating" },
};

/** What a caller may ask for: from which states, and the state the answer carries. */
const actions: Record<LifecycleAction, { from: readonly VmState[]; to: VmState }> = {
    start: { from: ["STOPPED"], to: "STARTING" },
    stop: { from: ["RUNNING"], to: "STOPPING" },
    restart: { from: ["RUNNING"], to: "RESTARTING" },
    terminate: {
        from: ["CREATING", "STARTING", "RUNNING", "STOPPING", "STOPPED", "RESTARTING", "ERROR"],
        to: "TERMINATING",
    },
};

export type LifecycleAction = "start" | "stop" | "restart" | "terminate";

/**
 * The state machine of VMs. Every call is asynchronous, as in the cloud: the answer carries the
 * state that passes, and the VM moves on by itself.
 */
export class Lifecycle {
    private readonly timers = new Map<number, NodeJS.Timeout>();

    /** `entered` is told of every state a VM enters, after the state is stored. */
    constructor(
        private readonly vms: Store<VmRow>,
        private readonly delays: LifecycleDelays,
        private readonly entered: (vm: VmRow) => void,
    ) {}

    /** Puts a VM into a state and sets out what follows. */
    enter(vm: VmRow, state: VmState): VmRow {
        clearTimeout(this.timers.get(vm.vm_id));
        this.timers.delete(vm.vm_id);
        const moved = this.vms.put({ ...vm, state });
        this.entered(moved);
        this.await(moved);
        return this.vms.get(vm.vm_id) ?? moved;
    }

    /**
     * Starts what the caller asked for.
     *
     * @throws ApiError 409 when the VM's state does not allow it
     */
    perform(vm: VmRow, action: LifecycleAction): VmRow {
        const { from, to } = actions[action];
        if (!from.includes(vm.state)) {
            throw conflict(
                "compute.instance.invalid_state",
                `cannot ${action} VM ${vm.vm_id} while it is ${vm.state}`,
            );
        }
        return this.enter(vm, to);
    }

    /** Takes up the VMs that were on their way when the cloud was stopped. */
    resume(): void {
        for (const vm of this.vms.list()) this.await(vm);
    }

    close(): void {
        for (const timer of this.timers.values()) clearTimeout(timer);
        this.timers.clear();
    }

    private await(vm: VmRow): void {
        const next = passing[vm.state];
        if (next === undefined) return;
        const timer = setTimeout(() => {
            const current = this.vms.get(vm.vm_id);
            if (current !== undefined) this.enter(current, next.to);
        }, this.delays[next.after]);
        this.timers.set(vm.vm_id, timer);
    }
}
