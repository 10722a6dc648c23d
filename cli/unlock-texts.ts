import type { Condition } from "./condition";
import { nameIn, type Pending } from "./exported";
import type { Lock } from "./locks";

/** Whether a killed run left nothing to do. */
export function isClean({ locks, pending, orphans }: Condition): boolean {
    return locks?.length === 0 && pending.length === 0 && orphans.length === 0;
}

/** What was found, for the user. */
export function describe(condition: Condition): string[] {
    const { stack, locks, pending, orphans } = condition;
    if (isClean(condition)) {
        return [`Stack ${stack} is not locked and has no pending operations: nothing to do.`];
    }
    return [
        `Stack ${stack}:`,
        ...(locks === undefined
            ? [
                  "  only its backend knows whether it is locked; to unlock it does no harm when it is not",
              ]
            : locks.map(
                  (lock) => `  locked by ${holder(lock)} since ${lock.timestamp.slice(0, 19)}`,
              )),
        ...pending.map(({ type, urn }) => `  interrupted while ${type} ${nameOf(urn)}`),
        ...orphans.map(
            (pid) => `  process ${pid} of a killed run still lives and may be at work in the cloud`,
        ),
    ];
}

/** Why a lock is not taken away. */
export function heldBy(lock: Lock): string {
    return (
        `Nothing was changed: the run of ${holder(lock)} goes on. Next: wait for its end, or interrupt it ` +
        `with \`kill -INT ${lock.pid}\`; it then records what is under way, and unlocks the stack itself`
    );
}

/** What to do after all is settled. */
export function nextStep(pending: readonly Pending[]): string {
    const created = pending.some(({ type }) => type === "creating");
    return created
        ? "Unlocked. Next: `pulumi up`, which adopts what the interrupted creations made; or `pulumi destroy`."
        : "Unlocked. Next: `pulumi up` or `pulumi destroy`.";
}

function holder({ username, hostname, pid }: Lock): string {
    return `${username}@${hostname} (process ${pid})`;
}

/** A resource's type and name: the end of its URN. */
function nameOf(urn: string): string {
    const type = urn.split("::").at(-2) ?? "";
    return `${type.split("$").at(-1)?.split(/[:/]/).at(-1)} ${nameIn(urn)}`;
}
