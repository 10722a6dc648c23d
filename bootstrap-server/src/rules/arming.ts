/** How long after its node became ready a slot still serves the first bundle, in milliseconds. */
export const graceMs = 15 * 60 * 1000;

/**
 * Whether a slot serves its first bundle: from binding a VM until the node reported ready, and for
 * a grace after that, so that a node which crashed in the middle of its boot can fetch again. A clock
 * that is set back to before the report opens nothing again.
 */
export function isArmed(slot: { vmId: number | null; readyAt: Date | null }, now: Date): boolean {
    if (slot.vmId === null) {
        return false;
    }
    if (slot.readyAt === null) {
        return true;
    }
    const since = now.getTime() - slot.readyAt.getTime();
    return since >= 0 && since < graceMs;
}
