import { sql } from "kysely";

import { messageOf, StartupError } from "../errors";
import type { Db } from "./schema";

/**
 * Excloud's own tables in the shared database, joined read-only in mode `excloud`. That the three
 * exist is documented, what they and their columns are called is NOT: the names below are
 * assumptions, kept in this one place so that a correction touches nothing else.
 */
const vms = { table: "vms", id: "id" };
const interfaces = { table: "interfaces", id: "id", vm: "vm_id", ipv4: "ipv4", ipv6: "ipv6" };
const publicAddresses = { table: "public_ipv4s", interfaceId: "interface_id", ipv4: "ipv4" };

function addressQuery(vmId: number) {
    return sql<{ private4: string | null; private6: string | null; public4: string | null }>`
        SELECT host(i.${sql.ref(interfaces.ipv4)}::inet) AS private4,
               host(i.${sql.ref(interfaces.ipv6)}::inet) AS private6,
               host(p.${sql.ref(publicAddresses.ipv4)}::inet) AS public4
        FROM ${sql.table(vms.table)} v
        JOIN ${sql.table(interfaces.table)} i
            ON i.${sql.ref(interfaces.vm)} = v.${sql.ref(vms.id)}
        LEFT JOIN ${sql.table(publicAddresses.table)} p
            ON p.${sql.ref(publicAddresses.interfaceId)} = i.${sql.ref(interfaces.id)}
        WHERE v.${sql.ref(vms.id)} = ${vmId}`;
}

/** Every private and public address the cloud's tables give for a VM; empty for an unknown VM. */
export async function cloudVmAddresses(db: Db, vmId: number): Promise<string[]> {
    const { rows } = await addressQuery(vmId).execute(db);
    return rows
        .flatMap(({ private4, private6, public4 }) => [private4, private6, public4])
        .filter((address) => address !== null);
}

/**
 * Makes sure the cloud's tables can be read as assumed, so that a wrong name is found at start and
 * not by the first node. Throws StartupError.
 */
export async function checkCloudTables(db: Db): Promise<void> {
    try {
        await cloudVmAddresses(db, 0);
    } catch (error) {
        throw new StartupError(
            `mode excloud reads the cloud's tables ${vms.table}, ${interfaces.table} and ${publicAddresses.table}, which failed: ${messageOf(error)}. DATABASE_URL must name Excloud's shared database.`,
        );
    }
}
