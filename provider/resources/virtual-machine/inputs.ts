import type { NewVm } from "../../calls/vm-request";
import type { BootstrapServer } from "../../context";

/** What to do when a change can only be made by replacing the VM. */
export type Replacement =
    /** Refuse the change, and say how to allow it. */
    | "refuse"
    | "allow"
    /** Keep the old value for now: another node is being replaced. */
    | "defer";

export interface VirtualMachineInputs extends NewVm {
    sshPubkey: string;
    /** Of a node: the slot that the VM fills, and the server at which it is bound. */
    bootstrap?: BootstrapServer;
    clusterId?: number;
    slot?: string;
    /** Of a node: where it reaches the bootstrap server, checked against its subnet. */
    nodeUrl?: string;
    /** Of a node: networks of the cluster by name, IPv4, which must not overlap its subnet. */
    clusterNetworks?: Record<string, string>;
    replacement: Replacement;
    /** Whether a replacement is allowed although the other control planes are not all well. */
    replaceWithoutQuorum?: boolean;
    /** Takes over the VM of this id instead of creating one. */
    adoptVmId?: number;
    /** Seconds to wait until it runs, and until it is terminated. */
    timeouts: { create: number; delete: number };
    /** What it is to be, derived by `check`; `read` says what it is. */
    state?: "RUNNING" | "STOPPED" | "ERROR" | "TERMINATED";
}
