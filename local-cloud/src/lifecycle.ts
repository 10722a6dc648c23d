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

/** States that end by themselves, and what follows. */
const passing: Partial<Record<VmState, VmState>> = {
    CREATING: "STARTING",
    STARTING: "RUNNING",
    STOPPING: "STOPPED",
    RESTARTING: "RUNNING",
    TERMINATING: "TERMINATED",
};

/**
 * Does what a passing state stands for, then calls `done`, or `failed` when it cannot be done. The
 * answer gives the work up.
 */
export type Work = (vm: VmRow, done: () => void, failed: () => void) => () => void;

/** Work that is nothing but a delay. */
export const delayed =
    (delays: LifecycleDelays): Work =>
    (vm, done) => {
        const state = vm.state.toLowerCase() as keyof LifecycleDelays;
        const timer = setTimeout(done, delays[state]);
        return () => clearTimeout(timer);
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
    /** How to give up the work of each VM that is in a passing state. */
    private readonly givingUp = new Map<number, () => void>();

    /** `entered` is told of every state a VM enters, after the state is stored. */
    constructor(
        private readonly vms: Store<VmRow>,
        private readonly work: Work,
        private readonly entered: (vm: VmRow) => void,
    ) {}

    /** Puts a VM into a state and sets out what follows. */
    enter(vm: VmRow, state: VmState): VmRow {
        this.giveUp(vm.vm_id);
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

    /** The VM has powered itself off. */
    poweredOff(vmId: number): void {
        const vm = this.vms.get(vmId);
        if (vm?.state === "RUNNING") {
            this.enter(vm, "STOPPED");
        }
    }

    /** Takes up the VMs that were on their way when the cloud was stopped. */
    resume(): void {
        for (const vm of this.vms.list()) {
            this.await(vm);
        }
    }

    close(): void {
        for (const vmId of [...this.givingUp.keys()]) {
            this.giveUp(vmId);
        }
    }

    private await(vm: VmRow): void {
        const next = passing[vm.state];
        if (next === undefined) {
            return;
        }
        let isOver = false;
        const end = (state: VmState) => () => {
            const current = this.vms.get(vm.vm_id);
            if (isOver || current === undefined) {
                return;
            }
            this.enter(current, state);
        };
        const giveUp = this.work(vm, end(next), end("ERROR"));
        this.givingUp.set(vm.vm_id, () => {
            isOver = true;
            giveUp();
        });
    }

    private giveUp(vmId: number): void {
        this.givingUp.get(vmId)?.();
        this.givingUp.delete(vmId);
    }
}
