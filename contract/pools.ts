import type { Role } from "./roles";

/** The pool of the control planes. Every other pool has workers. */
export const controlPlanePool = "cp";

/** The longest name of a pool, in characters: what is named after it has its own limits. */
const poolNameLength = 20;

/** A DNS label of at most {@link poolNameLength} characters. */
const poolName = `[a-z0-9](?:[a-z0-9-]{0,${poolNameLength - 2}}[a-z0-9])?`;
/** Names of pools, as a regular expression. */
export const poolPattern = `^${poolName}$`;
/** Names of slots, as a regular expression: `{pool}-{n}`, n from 1. */
export const slotPattern = `^${poolName}-[1-9][0-9]{0,4}$`;

/** The role of the nodes of a pool. */
export function roleOf(pool: string): Role {
    return pool === controlPlanePool ? "control-plane" : "worker";
}

/** The name of slot number `n` of a pool, n from 1: `cp-1`. */
export function slotName(pool: string, n: number): string {
    return `${pool}-${n}`;
}

/** The names of a pool's first `count` slots, in order. */
export function slotsOf(pool: string, count: number): string[] {
    return Array.from({ length: count }, (_, index) => slotName(pool, index + 1));
}

/** The pool of a slot: what stands before its number. */
export function poolOf(slot: string): string {
    return slot.slice(0, slot.lastIndexOf("-"));
}

/** Whether a text names a slot whose nodes have a role: `cp-{n}` for control planes, `{pool}-{n}` for workers. */
export function isSlotOfRole(slot: string, role: Role): boolean {
    return new RegExp(slotPattern).test(slot) && roleOf(poolOf(slot)) === role;
}

/** Orders slots as people count: control planes first, then by pool; cp-2 before cp-10. */
export function compareSlots(a: string, b: string): number {
    const [first, second] = [poolOf(a), poolOf(b)];
    if ((first === controlPlanePool) !== (second === controlPlanePool)) {
        return first === controlPlanePool ? -1 : 1;
    }
    return a.localeCompare(b, "en", { numeric: true });
}
