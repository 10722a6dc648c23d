import { passing, settlingSeconds, unlessGone } from "../calls/outcomes";
import type { Context } from "../context";
import { ApiError, messageOf } from "../errors";
import { type Handler, inputsOf } from "../handler";

export interface DnsRecordInputs {
    /** Zone without trailing dot; one of the organisation's own. */
    zoneName: string;
    type: "A" | "AAAA";
    /** Name relative to the zone. It holds the cluster's id, so that whatever it has is the cluster's. */
    name: string;
    /** Addresses, several are answered in turn. */
    values: string[];
    /** Seconds. */
    ttl: number;
}

export interface DnsRecordOutputs {
    dnsConfigured: boolean;
    /** Why the record could not be made; `""` when it was. */
    reason: string;
    /** Whether the zone answered once: then there may be records. */
    isReached: boolean;
}

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
    },

    isUnfinished: ({ dnsConfigured }) => !dnsConfigured,

    async create(inputs, context) {
        return { id: idOf(inputs), outputs: await tryToConverge(inputs, undefined, context) };
    },

    async read(id, state, context) {
        const { dnsConfigured, reason, isReached } = state;
        if (!dnsConfigured) {
            return { id, outputs: { dnsConfigured, reason, isReached } };
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
            outputs: { dnsConfigured, reason, isReached },
        };
    },

    async update(id, state, inputs, context) {
        return { id, outputs: await tryToConverge(inputs, state, context) };
    },

    async delete(_id, state, context) {
        try {
            await clear(state, context);
        } catch (error) {
            if (state.isReached) {
                throw error;
            }
            // Worth a try, not a failure.
            const where = `${state.name}.${state.zoneName}`;
            context.log(`warning: ${where} may have records left: ${messageOf(error)}`);
        }
    },
};

function idOf({ zoneName, type, name }: DnsRecordInputs): string {
    return `${zoneName}:${type}:${name}`;
}

async function tryToConverge(
    inputs: DnsRecordInputs,
    former: (DnsRecordInputs & DnsRecordOutputs) | undefined,
    context: Context,
): Promise<DnsRecordOutputs> {
    const fullName = `${inputs.name}.${inputs.zoneName}`;
    let isReached = former?.isReached ?? false;
    try {
        const known = [...inputs.values, ...(former?.values ?? [])];
        const found = (await list(inputs, context)).map(({ value }) => value);
        isReached = true;
        const others = found.filter((value) => !known.includes(value));
        if (others.length > 0) {
            context.log(`DNS name ${fullName} is taken over, in place of ${others.join(", ")}`);
        }
        await converge(inputs, context);
        return { dnsConfigured: true, reason: "", isReached };
    } catch (error) {
        const reason = messageOf(error);
        context.log(
            `warning: DNS name ${fullName} is not configured: ${reason}. ` +
                "The cluster is reached by address; the next up tries again",
        );
        return { dnsConfigured: false, reason, isReached };
    }
}

async function list({ zoneName, name, type }: DnsRecordInputs, context: Context) {
    const records = await context.excloud()("recordList", { zone_name: zoneName });
    return records.filter((record) => record.name === name && record.type === type);
}

/** Makes the records of the name the wanted ones, and looks whether they are: the cloud holds one per value. */
async function converge(inputs: DnsRecordInputs, context: Context): Promise<void> {
    const call = context.excloud();
    const { zoneName: zone_name, type, name, ttl, values } = inputs;
    let found: { value: string; ttl: number }[] = [];
    const areThere = await context.poll(settlingSeconds, async () => {
        found = await list(inputs, context);
        const superfluous = found.filter(
            (record) => !(values.includes(record.value) && record.ttl === ttl),
        );
        const missing = values.filter(
            (value) => !found.some((record) => record.value === value && record.ttl === ttl),
        );
        for (const { value } of superfluous) {
            await unlessGone(call("recordDelete", { zone_name, type, name, value }));
        }
        for (const value of missing) {
            const created = call("recordCreate", { zone_name, type, name, value, ttl });
            // The cloud holds an identical record only once, so that the next look tells what became of it.
            await created.catch(passing);
        }
        return superfluous.length + missing.length === 0 ? true : undefined;
    });
    if (!areThere) {
        const shown = found.map(({ value }) => value).join(", ") || "nothing";
        throw new Error(
            `the DNS name ${name}.${zone_name} has ${shown}, not ${values.join(", ") || "nothing"}, ` +
                `after ${settlingSeconds} s. Next: run the command again`,
        );
    }
}

/** Deletes what the cluster has, and looks whether it is gone. */
async function clear(state: DnsRecordInputs & DnsRecordOutputs, context: Context): Promise<void> {
    const call = context.excloud();
    const { zoneName: zone_name, type, name, values } = state;
    // A list that lags behind may not show them.
    for (const value of values) {
        await unlessGone(call("recordDelete", { zone_name, type, name, value }));
    }
    try {
        await converge({ ...state, values: [] }, context);
    } catch (error) {
        const isNotFound = error instanceof ApiError && error.isNotFound;
        // One wrong answer would leave the records behind for good.
        if (!isNotFound || (await call("zoneList")).some((zone) => zone.name === zone_name)) {
            throw error;
        }
    }
}

function inOrderOf(order: string[], values: string[]): string[] {
    return [
        ...order.filter((value) => values.includes(value)),
        ...values.filter((value) => !order.includes(value)),
    ];
}
