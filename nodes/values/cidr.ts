import { Address4 } from "ip-address";

/** An IPv4 network: its first address as a number, and its prefix length. */
export interface Network {
    base: bigint;
    prefix: number;
}

/**
 * Parses an IPv4 network such as `10.96.0.0/12`.
 *
 * @param cidr the text; host bits must be zero
 * @param what the input's name, for the error
 * @throws when the text is not an IPv4 network, or has host bits set
 */
export function parseNetwork(cidr: string, what: string): Network {
    if (!/^[0-9.]+\/\d{1,2}$/.test(cidr) || !Address4.isValid(cidr)) {
        throw new Error(
            `${what}: "${cidr}" is not an IPv4 network; write one such as "10.96.0.0/12".`,
        );
    }
    const address = new Address4(cidr);
    const network = { base: address.startAddress().bigInt(), prefix: address.subnetMask };
    if (address.bigInt() !== network.base) {
        throw new Error(
            `${what}: "${cidr}" has host bits set; write the network itself, ` +
                `"${formatAddress(network.base)}/${network.prefix}".`,
        );
    }
    return network;
}

/** The number of addresses in a network. */
function sizeOf(network: Network): bigint {
    return 1n << BigInt(32 - network.prefix);
}

/**
 * The n-th address of a network, counting its base as 0 (so 1 is the first usable one).
 *
 * @throws when the network is too small to hold it
 */
export function nthAddress(cidr: string, n: number, what: string): string {
    const network = parseNetwork(cidr, what);
    if (BigInt(n) >= sizeOf(network) - 1n) {
        throw new Error(
            `${what}: "${cidr}" is too small, its address number ${n} is needed; use a shorter prefix.`,
        );
    }
    return formatAddress(network.base + BigInt(n));
}

/** Whether two IPv4 networks share an address. */
export function overlaps(a: string, b: string): boolean {
    const left = parseNetwork(a, "first network");
    const right = parseNetwork(b, "second network");
    return left.base < right.base + sizeOf(right) && right.base < left.base + sizeOf(left);
}

function formatAddress(value: bigint): string {
    return Address4.fromBigInt(value).correctForm();
}
