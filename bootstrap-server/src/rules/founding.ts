/**
 * etcd is founded once, by the whole first set of control planes. Until a majority of that set runs
 * etcd nobody else may start a member; after that every arrival joins what exists, as long as one VM
 * that ran a member is bound. Pure functions: the caller holds the cluster's row lock.
 */

/** A control plane bound to a VM, as it was when the set was frozen. */
export interface Binding {
    slot: string;
    vmId: number;
    /** Name of its etcd member. */
    name: string;
    /** Where the other members reach it. */
    address: string;
}

/** A member as founders are told. All get the same list, whatever VM a slot is bound to by then. */
export interface EtcdMember {
    name: string;
    address: string;
}

/** Where a cluster's etcd stands. The set is kept when founded, as a record of who founded it. */
export type Founding =
    | { state: "unfounded" }
    | { state: "founding"; set: readonly Binding[] }
    | { state: "founded"; set: readonly Binding[] };

/** A slot as the founding rule sees it. */
export interface FoundingSlot {
    slot: string;
    vmId: number | null;
    name: string;
    address: string | null;
    /** Whether its bundle was put, so that it could be served. */
    hasBundle: boolean;
    /** Whether its present VM ever showed that its etcd member ran. */
    etcdRan: boolean;
}

/** What a control plane is told: found etcd with these members, join the existing one, or ask again later. */
export type EtcdAnswer =
    { state: "new"; members: EtcdMember[] } | { state: "existing" } | { state: "wait" };

/** The smallest majority of a set. */
export function majority(size: number): number {
    return Math.floor(size / 2) + 1;
}

function isBound(member: Binding, slots: readonly FoundingSlot[]): boolean {
    return slots.some(({ slot, vmId }) => slot === member.slot && vmId === member.vmId);
}

/**
 * Freezes the founding set when every slot of it has a VM and a bundle; otherwise leaves things as
 * they are. `expected` is the whole set of control-plane slots, undefined while it is not known.
 */
export function beginFounding(
    current: Founding,
    expected: readonly string[] | undefined,
    slots: readonly FoundingSlot[],
): Founding {
    if (current.state !== "unfounded" || !expected || expected.length === 0) {
        return current;
    }
    const set: Binding[] = [];
    for (const name of expected) {
        const found = slots.find(({ slot }) => slot === name);
        if (!found || found.vmId === null || found.address === null || !found.hasBundle) {
            return current;
        }
        const { vmId, address } = found;
        set.push({ slot: name, vmId, name: found.name, address });
    }
    return { state: "founding", set };
}

/** What the control plane in `slot`, bound to `vmId`, is told. */
export function etcdAnswer(current: Founding, slot: string, vmId: number): EtcdAnswer {
    switch (current.state) {
        case "unfounded":
            return { state: "wait" };
        case "founding":
            return current.set.some((one) => one.slot === slot && one.vmId === vmId)
                ? {
                      state: "new",
                      members: current.set.map(({ name, address }) => ({ name, address })),
                  }
                : { state: "wait" };
        case "founded":
            return { state: "existing" };
    }
}

/**
 * Founded as soon as a majority of the set, each still on the VM it was frozen with, reported that
 * etcd runs.
 */
export function afterReport(current: Founding, slots: readonly FoundingSlot[]): Founding {
    if (current.state !== "founding") {
        return current;
    }
    const ran = slots.filter(({ etcdRan }) => etcdRan);
    const running = current.set.filter((member) => isBound(member, ran));
    return running.length >= majority(current.set.length)
        ? { state: "founded", set: current.set }
        : current;
}

/**
 * Gives a founding up when a majority of its set is on other VMs than it was frozen with: what is
 * left could never reach quorum, so a fresh set may be frozen. What was founded is forgotten when no
 * VM that ran a member is bound any more: the data went with their root volumes, so there is nothing
 * left to join.
 */
export function afterBinding(current: Founding, slots: readonly FoundingSlot[]): Founding {
    if (current.state === "unfounded") {
        return current;
    }
    if (current.state === "founded") {
        return slots.some(({ etcdRan }) => etcdRan) ? current : { state: "unfounded" };
    }
    const lost = current.set.filter((member) => !isBound(member, slots));
    return lost.length >= majority(current.set.length) ? { state: "unfounded" } : current;
}
