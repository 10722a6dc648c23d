/** How a node fares. */
export interface NodeStatus {
    readonly vm_id: number;
    readonly vm_name: string;
    readonly address: string;
    /** `idle`: the user data starts no node. A real node is `ready` when its systemd runs. */
    readonly state: "idle" | "booting" | "failed" | "ready" | "stopped";
    /** Why the boot or the last generation failed. */
    readonly message?: string;
    readonly node_name?: string;
    readonly generation?: string;
    /** Process id of a real node's init, for `nsenter`. */
    readonly pid?: number;
}
