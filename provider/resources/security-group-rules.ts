/** Stands for the IPv4 range of the group's subnet. */
export const subnetCidr = "subnet";

export interface Rule {
    direction: "ingress" | "egress";
    /** `TCPv4`, `UDPv4`, `ICMPv4`, `IPv4` or an IPv6 twin. */
    protocol: string;
    /** `"22"`, `"80-443"`, `"80,443"` or `ANY`. */
    portRange: string;
    /** One range, or `subnet`. */
    cidr: string;
}
