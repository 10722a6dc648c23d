import { Address4 } from "ip-address";

/** Whether two IPv4 networks share an address. */
export function networksOverlap(a: string, b: string): boolean {
    const [left, right] = [new Address4(a), new Address4(b)];
    return left.isInSubnet(right) || right.isInSubnet(left);
}

/** Whether an address or a range begins in 127.0.0.0/8 or is ::1. */
export function isLoopbackAddress(address: string): boolean {
    return address.startsWith("127.") || address.startsWith("::1");
}

/** Whether a URL's host is this very machine. */
export function isLoopbackUrl(url: string): boolean {
    const { hostname } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, "");
    return host === "localhost" || isLoopbackAddress(host);
}
