import { inputsOf, type Handler } from "../handler";
import type { Context } from "../context";
import { createOnce } from "./create-once";
import { unlessGone } from "./forgiving";
import { messageOf } from "../errors";

export interface DnsRecordInputs {
    /** Zone without trailing dot; one of the organisation's own. */
    zoneName: string;
    type: "A" | "AAAA";
    /** Name relative to the zone. */
    name: string;
    /** Addresses, several are answered in turn. */
    values: string[];
    /** Seconds. */
    ttl: number;
    /** Whether a name that has other addresses already is taken over. Default false. */
    adoptRecord?: boolean;
}

export interface DnsRecordOutputs {
    dnsConfigured: boolean;
    /** Why the record could not be made; `""` when it was. */
    reason: string;
    /** Set while a name that was configured before is not: it is ours all the same. */
    isOurs?: true;
}

const isOurs = (state: DnsRecordOutputs): boolean => state.dnsConfigured || state.isOurs === true;

/**
 * A DNS name for the control planes. It never fails a cluster: what could not be made is reported, and
 * tried again by the next `up`.
 */
export const dnsRecord: Handler<DnsRecordInputs, DnsRecordOutputs> = {
    changes: {
        zoneName: "replace",
        type: "replace",
        name: "replace",
        values: "update",
        ttl: "update",
        adoptRecord: "ignore",
    },

    isUnfinished: ({ dnsConfigured }) => !dnsConfigured,

    async create(inputs, context) {
        return { id: idOf(inputs), outputs: await tryToConverge(inputs, false, context) };
    },

    async read(id, state, context) {
        if (!state.dnsConfigured) {
            const { dnsConfigured, reason, isOurs } = state;
            return { id, outputs: { dnsConfigured, reason, ...(isOurs ? { isOurs } : {}) } };
        }
        const found = await list(state, context);
        if (found.length === 0) {
            return undefined;
        }
        return {
            id,
            inputs: {
                ...inputsOf(dnsRecord, state),
                values: inOrderOf(
                    state.values,
                    found.map(({ value }) => value),
                ),
                ttl: found[0]?.ttl ?? state.ttl,
            },
            outputs: { dnsConfigured: true, reason: "" },
        };
    },

    async update(id, state, inputs, context) {
        return { id, outputs: await tryToConverge(inputs, isOurs(state), context) };
    },

    async delete(_id, state, context) {
        const where = `${state.name}.${state.zoneName}`;
        try {
            if (!(await context.poll(clearingTime, () => clear(state, context)))) {
                throw new Error(
                    `${where} still has records after ${clearingTime} s. Next: run the command again`,
                );
            }
        } catch (error) {
            if (isOurs(state)) {
                throw error;
            }
            // Worth a try, not a failure.
            context.log(`warning: ${where} may have records left: ${messageOf(error)}`);
        }
    },
};

/** Seconds for which deleted records may still be listed. */
const clearingTime = 10;

/** Deletes what is there of ours. True when a list shows that nothing is left. */
async function clear(
    state: DnsRecordInputs & DnsRecordOutputs,
    context: Context,
): Promise<true | undefined> {
    const call = context.excloud();
    const { zoneName: zone_name, type, name } = state;
    const found = await unlessGone(list(state, context));
    if (found === undefined) {
        // One wrong answer would leave the records behind for good.
        const isThere = (await call("zoneList")).some((zone) => zone.name === zone_name);
        return isThere ? undefined : true;
    }
    // Of a name that never was ours, only what an attempt of ours may have left.
    const ours = found.filter(({ value }) => isOurs(state) || state.values.includes(value));
    for (const { value } of ours) {
        await unlessGone(call("recordDelete", { zone_name, type, name, value }));
    }
    return ours.length === 0 ? true : undefined;
}

function idOf({ zoneName, type, name }: DnsRecordInputs): string {
    return `${zoneName}:${type}:${name}`;
}

async function tryToConverge(
    inputs: DnsRecordInputs,
    wasOurs: boolean,
    context: Context,
): Promise<DnsRecordOutputs> {
    try {
        if (!wasOurs && !inputs.adoptRecord) {
            await requireFree(inputs, context);
        }
        await converge(inputs, context);
        return { dnsConfigured: true, reason: "" };
    } catch (error) {
        const reason = messageOf(error);
        context.log(
            `warning: DNS name ${inputs.name}.${inputs.zoneName} is not configured: ${reason}. ` +
                "The cluster is reached by address; the next up tries again",
        );
        return { dnsConfigured: false, reason, ...(wasOurs ? { isOurs: true } : {}) };
    }
}

/** @throws Error when somebody uses the name. Addresses of ours are what an interrupted run left. */
async function requireFree(inputs: DnsRecordInputs, context: Context): Promise<void> {
    const found = (await list(inputs, context)).map(({ value }) => value);
    const others = found.filter((value) => !inputs.values.includes(value));
    if (others.length > 0) {
        throw new Error(
            `it is in use for ${others.join(", ")}; when it is yours, set adopt.dnsRecord`,
        );
    }
}

async function list({ zoneName, name, type }: DnsRecordInputs, context: Context) {
    const records = await context.excloud()("recordList", { zone_name: zoneName });
    return records.filter((record) => record.name === name && record.type === type);
}

/** Makes the records of the name exactly the wanted ones: the cloud holds one record per value. */
async function converge(inputs: DnsRecordInputs, context: Context): Promise<void> {
    const call = context.excloud();
    const { zoneName: zone_name, type, name, ttl } = inputs;
    const existing = await list(inputs, context);
    const isWanted = (record: { value: string; ttl: number }) =>
        inputs.values.includes(record.value) && record.ttl === ttl;
    for (const { value } of existing.filter((record) => !isWanted(record))) {
        await unlessGone(call("recordDelete", { zone_name, type, name, value }));
    }
    for (const value of inputs.values) {
        const isThere = (record: { value: string; ttl: number }) =>
            record.value === value && record.ttl === ttl;
        if (!existing.some(isThere)) {
            await createOnce(
                context,
                () => call("recordCreate", { zone_name, type, name, value, ttl }),
                async () => (await list(inputs, context)).find(isThere),
            );
        }
    }
}

function inOrderOf(order: string[], values: string[]): string[] {
    return [
        ...order.filter((value) => values.includes(value)),
        ...values.filter((value) => !order.includes(value)),
    ];
}
