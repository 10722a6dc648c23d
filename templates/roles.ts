/** What a node is for. */
export type Role = "control-plane" | "worker";

/** Every role, for files that all nodes have. */
export const allRoles: readonly Role[] = ["control-plane", "worker"];
/** For files that only control planes have. */
export const controlPlaneOnly: readonly Role[] = ["control-plane"];
