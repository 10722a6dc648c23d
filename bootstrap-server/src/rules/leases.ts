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
 * already (a renewal); otherwise names the holder. A lease is over at the moment it expires.
 */
export function requestLease(
    current: Lease | undefined,
    asker: string,
    ttlSeconds: number,
    now: Date,
): LeaseAnswer {
    const free = !current || current.expiresAt.getTime() <= now.getTime();
    if (free || current.holder === asker) {
        const expiresAt = new Date(now.getTime() + ttlSeconds * 1000);
        return { granted: true, holder: asker, expiresAt };
    }
    return { ...current, granted: false };
}
