import { delayed, type LifecycleDelays, type Work } from "../lifecycle";
import type { VmRow } from "../state/model";
import type { NodeFleet } from "./fleet";
import type { NodeStatus } from "./status";

/** What stands behind snapshots. */
export interface Disks {
    /** Keeps what is on the disk of a VM, which may be off or terminated, as a snapshot. */
    copy(vmId: number | undefined, snapshotId: number): Promise<void>;
    erase(snapshotId: number): void;
}

/** Disks that hold nothing worth keeping. */
const emptyDisks: Disks = { copy: () => Promise.resolve(), erase: () => undefined };

/** What stands behind the VMs. */
export interface NodeDriver {
    readonly disks: Disks;
    /** Does what a VM's passing states stand for. */
    readonly work: Work;
    /** A VM has entered a state. */
    entered(vm: VmRow): void;
    /** A VM was running when the cloud was stopped. */
    resume(vm: VmRow): void;
    statuses(): NodeStatus[];
    /** The log of a VM's node; undefined when there is none. */
    log(vmId: number): readonly string[] | undefined;
    close(): Promise<void>;
}

/** VMs without nodes: they only exist. */
export const noNodes = (delays: LifecycleDelays): NodeDriver => ({
    disks: emptyDisks,
    work: delayed(delays),
    entered: () => undefined,
    resume: () => undefined,
    statuses: () => [],
    log: () => undefined,
    close: () => Promise.resolve(),
});

/** VMs with simulated nodes, which live while their VM is RUNNING. */
export const simulatedNodes = (fleet: NodeFleet, delays: LifecycleDelays): NodeDriver => ({
    disks: emptyDisks,
    work: delayed(delays),
    entered: (vm) => {
        if (vm.state === "RUNNING") {
            fleet.start(vm);
            return;
        }
        fleet.stop(vm.vm_id);
        if (vm.state === "TERMINATED" && vm.delete_root_volume) {
            fleet.remove(vm.vm_id);
        }
    },
    resume: (vm) => fleet.start(vm),
    statuses: () => fleet.statuses(),
    log: (vmId) => fleet.log(vmId),
    close: () => fleet.close(),
});
