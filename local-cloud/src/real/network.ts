import { attempt, ipBatch, run } from "./command";

/**
 * The network of one cloud with real nodes: a network namespace of its own that holds a bridge, the
 * gateway and all of the cloud's services, and one more namespace per node. The machine reaches it over
 * one link; nothing of it listens on the machine's own addresses.
 */
export interface RealNetwork {
    readonly index: number;
    /** Name of the gateway's network namespace; those of nodes begin with it. */
    readonly namespace: string;
    /** The gateway: router, resolver, mirrors and all services of the cloud. */
    readonly gateway: string;
    /** The machine, as the gateway and the nodes behind it reach it. */
    readonly machine: string;
    /** The metadata service's address, as clouds have it. */
    readonly metadata: string;
}

const bridge = "br0";

/** The gateway's end of the link between it and the machine. */
const gatewayEnd = (index: number): string => `10.76.${index}.2`;
const machineLink = (index: number): string => `exl${index}`;

/** The networks that lie behind the gateway: DEFAULT, PRIVATE and the public addresses. */
const behind = (index: number): string[] => [77, 78, 79].map((net) => `10.${net}.${index}`);

export function realNetwork(index: number): RealNetwork {
    return {
        index,
        namespace: `exl${index}`,
        gateway: `10.77.${index}.1`,
        machine: `10.76.${index}.1`,
        metadata: "169.254.169.254",
    };
}

/** Makes the network. To be called in the machine's own network namespace. */
export async function makeNetwork({
    index,
    namespace,
    machine,
    metadata,
}: RealNetwork): Promise<void> {
    const link = machineLink(index);
    await run("ip", "netns", "add", namespace);
    await ipBatch([
        `link add ${link} type veth peer name uplink netns ${namespace}`,
        `addr add ${machine}/30 dev ${link}`,
        `link set ${link} up`,
        ...behind(index).map((net) => `route add ${net}.0/24 via ${gatewayEnd(index)}`),
    ]);
    await ipBatch(
        [
            "link set lo up",
            `addr add ${gatewayEnd(index)}/30 dev uplink`,
            "link set uplink up",
            // Without an address of its own a bridge takes the lowest of its ports, and nodes that are up
            // lose the gateway for seconds when another joins.
            `link add ${bridge} address 02:00:0a:4d:00:01 type bridge`,
            ...behind(index).map((net) => `addr add ${net}.1/24 dev ${bridge}`),
            `addr add ${metadata}/32 dev ${bridge}`,
            `link set ${bridge} up`,
        ],
        namespace,
    );
    await run("ip", "netns", "exec", namespace, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
}

/** Removes what `makeNetwork` and `addNode` made, as far as it is there. */
export async function removeNetwork({ index, namespace }: RealNetwork): Promise<void> {
    const names = (await run("ip", "-o", "netns", "list"))
        .split("\n")
        .map((line) => line.split(" ")[0]);
    for (const name of names) {
        if (name === namespace || name?.startsWith(`${namespace}-`)) {
            await attempt("ip", "netns", "del", name);
        }
    }
    await attempt("ip", "link", "del", machineLink(index));
}

/** A node's place in the network. */
export interface NodeLink {
    readonly namespace: string;
    /** Name of the link's end at the bridge. */
    readonly port: string;
}

export const nodeLink = (network: RealNetwork, vmId: number): NodeLink => ({
    namespace: `${network.namespace}-${vmId}`,
    port: `vm${vmId}`,
});

/** Connects a node with its addresses. To be called inside the gateway's namespace. */
export async function addNode(
    { index, gateway }: RealNetwork,
    { namespace, port }: NodeLink,
    addresses: readonly string[],
): Promise<void> {
    await run("ip", "netns", "add", namespace);
    await ipBatch([
        `link add ${port} type veth peer name eth0 netns ${namespace}`,
        `link set ${port} master ${bridge} up`,
    ]);
    const [first = ""] = addresses;
    const router = behind(index).find((net) => first.startsWith(`${net}.`));
    await ipBatch(
        [
            "link set lo up",
            "link set eth0 up",
            ...addresses.map((address) => `addr add ${address}/24 dev eth0`),
            `route add default via ${router === undefined ? gateway : `${router}.1`}`,
        ],
        namespace,
    );
}

/** Disconnects a node; nothing happens when it is not connected. */
export async function removeNode({ namespace, port }: NodeLink): Promise<void> {
    // The link first: it can outlive its namespace.
    await attempt("ip", "link", "del", port);
    await attempt("ip", "netns", "del", namespace);
}
