import { createServer, type Server } from "node:net";

import { zoneId } from "./catalog";
import type { SubnetRow } from "./model";

/**
 * The loopback networks of local cloud number `index` (0 to 255). Linux answers on all of
 * 127.0.0.0/8, so every simulated node has addresses of its own without any set-up.
 */
export const defaultSubnets = (index: number): SubnetRow[] => [
    subnet(1, "DEFAULT", `127.64.${index}.0/24`, false),
    subnet(2, "PRIVATE", `127.65.${index}.0/24`, true),
];

/**
 * The networks of local cloud number `index` behind a bridge of its own, for real nodes. Neither they
 * nor the loopback networks touch a cluster's default networks.
 */
export const bridgeSubnets = (index: number): SubnetRow[] => [
    subnet(1, "DEFAULT", `10.77.${index}.0/24`, false),
    subnet(2, "PRIVATE", `10.78.${index}.0/24`, true),
];

/** The index that this subnet was made from. */
export const networkIndex = (cidr: string): number => Number(cidr.split(".")[2]);

/** The network of public addresses that belongs to the cloud with this DEFAULT subnet. */
export const publicNetwork = (defaultCidr: string): string =>
    defaultCidr.replace(/^127\.64\./, "127.96.").replace(/^10\.77\./, "10.79.");

const subnet = (id: number, name: string, cidr: string, isPrivate: boolean): SubnetRow => ({
    id,
    name,
    zone_id: zoneId,
    cidr_ipv4: cidr,
    cidr_ipv6: null,
    disable_ipv4_public_ip: isPrivate,
});

/** A claimed network; released by closing it, or by the end of the process. */
export interface NetworkClaim {
    readonly index: number;
    release(): Promise<void>;
}

const claimPort = 6443;

/**
 * Claims the networks of one index for this process, so that two local clouds on a machine never
 * give out the same address. The claim is a listener on the network's first address.
 *
 * @param wanted the index of an existing cloud; without it the first free one is taken
 * @throws Error when the wanted networks, or all of them, are in use
 */
export async function claimNetwork(wanted: number | undefined): Promise<NetworkClaim> {
    const indexes = wanted === undefined ? Array.from({ length: 256 }, (_, i) => i) : [wanted];
    for (const index of indexes) {
        const server = await listen(`127.64.${index}.1`);
        if (server !== undefined) {
            return {
                index,
                release: () => new Promise((resolve) => server.close(() => resolve())),
            };
        }
    }
    throw new Error(
        wanted === undefined
            ? "All of the networks 127.64.0.0/24 to 127.64.255.0/24 are used by other local clouds; stop some."
            : `The network 127.64.${wanted}.0/24 of this folder is in use: another local cloud runs on the same folder, or took its network. Stop it first.`,
    );
}

function listen(address: string): Promise<Server | undefined> {
    return new Promise((resolve, reject) => {
        const server = createServer((socket) => socket.destroy());
        server.once("error", (error: NodeJS.ErrnoException) => {
            if (error.code === "EADDRINUSE") {
                resolve(undefined);
            } else {
                reject(
                    new Error(
                        `Cannot listen on ${address}:${claimPort}: ${error.message}. Simulated nodes need Linux, where all of 127.0.0.0/8 is local.`,
                    ),
                );
            }
        });
        server.listen(claimPort, address, () => resolve(server));
    });
}
