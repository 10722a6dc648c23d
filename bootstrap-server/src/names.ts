import { randomBytes } from "node:crypto";

/** Roles a node can have. */
export const roles = ["control-plane", "worker"] as const;
/** Role of a node in its cluster. */
export type Role = (typeof roles)[number];

/** Start of the slot names of each role: `cp-1`, `worker-2`. */
const slotPrefixes: Record<Role, string> = { "control-plane": "cp", worker: "worker" };

/** Draws a cluster id: 40 random bits, never 0. Two servers of one organisation so never collide. */
export function drawClusterId(): number {
    for (;;) {
        const id = randomBytes(5).readUIntBE(0, 5);
        if (id !== 0) return id;
    }
}

/** Name of a cluster: `exk8s-{org}-{id in lower-case hex}`. */
export function clusterName(orgId: number, clusterId: number): string {
    return `exk8s-${orgId}-${clusterId.toString(16)}`;
}

/** Name of the node in a slot: `cp-1.cluster-{id}.internal`. */
export function nodeName(slot: string, clusterId: number): string {
    return `${slot}.cluster-${clusterId}.internal`;
}

/** Whether a slot name belongs to a role: `cp-{n}` or `worker-{n}`, n from 1. */
export function isSlotOfRole(slot: string, role: Role): boolean {
    return new RegExp(`^${slotPrefixes[role]}-[1-9][0-9]{0,4}$`).test(slot);
}

/** Orders slots as people count: cp-2 before cp-10, control planes before workers. */
export function compareSlots(a: string, b: string): number {
    return a.localeCompare(b, "en", { numeric: true });
}
