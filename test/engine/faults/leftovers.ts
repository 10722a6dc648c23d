import { type Bench, type StateResource, typeOf } from "../cluster/harness";

// What the cloud holds and what the state declares, in the same words, so that they can be compared.

interface Inventory {
    vms: { vm_id: number }[];
    volumes: { vm_id: number | null }[];
    snapshots: unknown[];
    reservations: unknown[];
    securityGroups: { id: number }[];
    records: { type: string; name: string; value: string }[];
}

/** Everything that the cloud holds, sorted. */
export async function found(bench: Bench): Promise<string[]> {
    const held = (await bench.inventory()) as unknown as Inventory;
    const rules = await Promise.all(
        held.securityGroups.map(async ({ id }) =>
            (await bench.cloud("ruleList", { security_group_id: id })).map(
                (rule) => `rule of group ${id}: ${rule.protocol} ${rule.port_range} ${rule.cidr}`,
            ),
        ),
    );
    return [
        ...held.vms.map(({ vm_id }) => `vm ${vm_id}`),
        ...held.volumes.map(({ vm_id }) => `volume of vm ${vm_id}`),
        ...held.snapshots.map((snapshot) => `snapshot ${JSON.stringify(snapshot)}`),
        ...held.reservations.map((reservation) => `reservation ${JSON.stringify(reservation)}`),
        ...held.securityGroups.map(({ id }) => `group ${id}`),
        ...rules.flat(),
        ...held.records.map(({ type, name, value }) => `record ${type} ${name} ${value}`),
    ].sort();
}

/** Everything that a state says to be in the cloud, sorted. */
export function declared(resources: readonly StateResource[]): string[] {
    return resources.flatMap((resource) => declaredBy[typeOf(resource)]?.(resource) ?? []).sort();
}

interface Rule {
    protocol: string;
    portRange: string;
    cidr: string;
}

const declaredBy: Record<string, (resource: StateResource) => string[]> = {
    VirtualMachine: ({ id }) => [`vm ${id}`, `volume of vm ${id}`],
    SecurityGroup: ({ id, inputs }) => [
        `group ${id}`,
        ...Object.values(inputs?.["rules"] as Record<string, Rule>).map(
            ({ protocol, portRange, cidr }) =>
                `rule of group ${id}: ${protocol} ${portRange} ${cidr}`,
        ),
    ],
    DnsRecord: ({ inputs = {} }) =>
        (inputs["values"] as string[]).map(
            (value) => `record ${String(inputs["type"])} ${String(inputs["name"])} ${value}`,
        ),
};
