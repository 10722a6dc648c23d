/** The organisation of all VMs. */
export const organisation = 5;
/** The server's own credential at the cloud. */
export const operatorKey = "key-of-the-bootstrap-server";

/** The loopback address a VM calls from: one of its own in 127.0.0.0/8. */
export function addressOf(vmId: number): string {
    return `127.${1 + (vmId >> 16)}.${(vmId >> 8) & 255}.${vmId & 255}`;
}

/** The access token that a VM has from its metadata service. */
export function tokenOf(vmId: number): string {
    return `access-token-of-vm-${vmId}`;
}

/** The VM a token belongs to; undefined for any other token. */
export function vmOfToken(token: string): number | undefined {
    const digits = /^access-token-of-vm-(\d+)$/.exec(token)?.[1];
    return digits === undefined ? undefined : Number(digits);
}

/** The secret that a VM's user data carries. */
export function secretOf(vmId: number): string {
    return `slot-secret-of-vm-${vmId}`;
}
