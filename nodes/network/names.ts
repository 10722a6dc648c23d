/**
 * The pod networks: `cilium`; `bridge`, plain bridge plugins for a cluster of one node; or `none`, the user
 * brings one (nodes become Ready when it runs).
 */
export const podNetworkNames = ["cilium", "bridge", "none"] as const;
export type PodNetworkName = (typeof podNetworkNames)[number];
