/** What a node can be for. */
export const roles = ["control-plane", "worker"] as const;
export type Role = (typeof roles)[number];
