import type {
    GroupRow,
    RecordRow,
    ReservationRow,
    SnapshotRow,
    VmRow,
    VolumeRow,
} from "./state/model";
import type { Stores } from "./state/stores";

/** Everything that exists and costs money or lingers. Empty lists mean that nothing was left behind. */
export interface Inventory {
    /** VMs that are not TERMINATED. */
    readonly vms: readonly Pick<VmRow, "vm_id" | "name" | "state">[];
    readonly volumes: readonly VolumeRow[];
    readonly snapshots: readonly SnapshotRow[];
    readonly reservations: readonly ReservationRow[];
    readonly securityGroups: readonly GroupRow[];
    readonly records: readonly RecordRow[];
}

export const inventoryOf = (stores: Stores): Inventory => ({
    vms: stores.vms
        .list()
        .filter((vm) => vm.state !== "TERMINATED")
        .map(({ vm_id, name, state }) => ({ vm_id, name, state })),
    volumes: stores.volumes.list(),
    snapshots: stores.snapshots.list(),
    reservations: stores.reservations.list(),
    securityGroups: stores.groups.list(),
    records: stores.records.list(),
});
