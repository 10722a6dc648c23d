import { maxLeaseSeconds } from "#contract/agent";

/** A lease as it is held: by a slot of the cluster, until a moment. */
export interface Lease {
    holder: string;
    expiresAt: Date;
}

/** Answer to a request for a lease: who holds it now, and whether that is the one who asked. */
export interface LeaseAnswer extends Lease {
    granted: boolean;
}

/**
 * Grants a lease to `asker` when nobody holds it, when it expired, or when the asker holds it
 * already (a renewal); otherwise names the holder. A lease is over at the moment it expires, and so
 * is one that would end later than any may: the clock it was granted by has been set back.
 */
export function requestLease(
    current: Lease | undefined,
    asker: string,
    ttlSeconds: number,
    now: Date,
): LeaseAnswer {
    const left = current ? current.expiresAt.getTime() - now.getTime() : 0;
    const free = left <= 0 || left > maxLeaseSeconds * 1000;
    if (!current || free || current.holder === asker) {
        const expiresAt = new Date(now.getTime() + ttlSeconds * 1000);
        return { granted: true, holder: asker, expiresAt };
    }
    return { ...current, granted: false };
}
