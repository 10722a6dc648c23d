import { Address4 } from "ip-address";

import type { Stores } from "./stores";

/** Low addresses of a subnet are the cloud's own (gateway, DNS). */
const reserved = 10n;

/**
 * A free address of the network. Addresses are given out in turn, so that the address of a VM that
 * has just ended is not at once that of another.
 *
 * @returns undefined when the network is full
 */
export function allocateAddress(
    stores: Stores,
    cidr: string,
    used: ReadonlySet<string>,
): string | undefined {
    const network = new Address4(cidr);
    const first = network.startAddress().bigInt() + reserved;
    const size = network.endAddress().bigInt() - first;
    for (let tries = 0n; tries < size; tries++) {
        const turn = BigInt(stores.next(`address ${cidr}`)) - 1n;
        const address = Address4.fromBigInt(first + (turn % size)).correctForm();
        if (!used.has(address)) {
            return address;
        }
    }
    return undefined;
}
