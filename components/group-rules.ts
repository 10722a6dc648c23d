import type { Rule } from "../provider";

/** Lets ranges reach a port by TCP; the rules are named `api from 10.0.0.0/8`. */
export const tcpFrom = (
    name: string,
    port: number,
    cidrs: readonly string[],
): Record<string, Rule> =>
    Object.fromEntries(cidrs.map((cidr) => [`${name} from ${cidr}`, tcp(port, cidr)]));

/** Lets one range reach a port by TCP. */
export const tcp = (port: number, cidr: string): Rule => ({
    direction: "ingress",
    protocol: "TCPv4",
    portRange: String(port),
    cidr,
});

const anything = { protocol: "IPv4", portRange: "ANY" } as const;

/** Lets a range reach everything. */
export const everythingFrom = (cidr: string): Rule => ({ direction: "ingress", ...anything, cidr });

/** Lets VMs reach everything. */
export const allOutwards: Record<string, Rule> = {
    "all outwards": { direction: "egress", ...anything, cidr: "0.0.0.0/0" },
};
