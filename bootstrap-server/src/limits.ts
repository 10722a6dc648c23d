/** Sizes in bytes, times in milliseconds. */
const KiB = 1024;
const second = 1000;

/**
 * Limits of connections, against clients that open many or send slowly. Node.js looks for slow ones
 * every `connectionsCheckingInterval`, so a limit ends at most that much later.
 */
export const connectionLimits = {
    /** A client that starts TLS has this long to finish it: three round trips over any network. */
    handshakeTimeout: 10 * second,
    /** Headers are a few hundred bytes: who needs longer for them holds a connection on purpose. */
    headersTimeout: 10 * second,
    /** The whole request: 16 MiB of an operator's files over 2 Mbit/s. */
    requestTimeout: 70 * second,
    /** Silence on a connection in the middle of a request or answer. */
    connectionTimeout: 60 * second,
    /** Silence between requests: agents come every 20 s, and so keep their connection. */
    keepAliveTimeout: 65 * second,
    connectionsCheckingInterval: 5 * second,
    /** A token of an identity provider may have several KiB; all headers together stay below. */
    maxHeaderSize: 16 * KiB,
} as const;

/** Largest bodies by kind of route. */
export const bodyLimits = {
    /** What names things: a key, a slot, a lease. */
    small: 64 * KiB,
    /** A report with its 20 lines of log. */
    report: 256 * KiB,
    /** A role's or a node's files with the manifest. */
    files: 16 * KiB * KiB,
} as const;

/**
 * How many first contacts are looked at in `window`. A node that waits for its bundle asks twice a
 * second at first and every 10 seconds later, so these are far above a booting cluster. A VM may be
 * asked for more often than one address may ask: no address alone locks a node out.
 */
export interface FirstContactLimits {
    /** By one source address; of IPv6 by a /64, which one machine may have whole. */
    perAddress: number;
    /** For one VM id, from all addresses together. */
    perVm: number;
}

/** What holds when nothing else is given. */
export const firstContactLimits: FirstContactLimits = { perAddress: 200, perVm: 400 };

/** The time first contacts are counted over. */
export const firstContactWindow = 10 * second;

/** Addresses and VMs that are counted at once; a storm of more than that forgets the oldest. */
export const countedKeys = 50_000;
