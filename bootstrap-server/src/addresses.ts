import { BlockList, isIP } from "node:net";

/** The IP version word that `BlockList` wants, or undefined when the text is no address. */
function family(address: string): "ipv4" | "ipv6" | undefined {
    const version = isIP(address);
    return version === 4 ? "ipv4" : version === 6 ? "ipv6" : undefined;
}

/** Whether the text is a single IP address, without prefix length or zone. */
export function isAddress(text: string): boolean {
    return family(text) !== undefined;
}

/**
 * Whether `source` is one of `allowed`, compared as addresses and not as text: `::ffff:10.0.0.5` is
 * 10.0.0.5 and `2001:DB8::1` is `2001:db8:0::1`. Entries that are no address are passed over.
 */
export function includesAddress(allowed: readonly string[], source: string): boolean {
    const list = new BlockList();
    for (const address of allowed) {
        const version = family(address);
        if (version) {
            list.addAddress(address, version);
        }
    }
    const version = family(source);
    return version !== undefined && list.check(source, version);
}

/** Whether a host is this machine only: `localhost`, or an address of the loopback. */
export function isLoopback(host: string): boolean {
    const bare = host.replace(/^\[(.*)\]$/, "$1");
    if (bare === "localhost") {
        return true;
    }
    const list = new BlockList();
    list.addSubnet("127.0.0.0", 8, "ipv4");
    list.addAddress("::1", "ipv6");
    const version = family(bare);
    return version !== undefined && list.check(bare, version);
}
