import { isIPv4, isIPv6 } from "node:net";

import { conflict, invalid, notFound } from "../http/errors";
import type { RecordRow } from "../state/model";
import { recordKey, type Stores } from "../state/stores";
import type { Handlers } from "./handler";

/** The service does not enforce a TTL; this is the low end of the usual ones. */
const defaultTtlSeconds = 300;

const label = "(\\*|[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)";
const relativeName = new RegExp(`^(@|${label}(\\.${label})*)$`);
const hostName = new RegExp(`^${label}(\\.${label})*\\.?$`);

const isValue: Record<RecordRow["type"], (value: string) => boolean> = {
    A: isIPv4,
    AAAA: isIPv6,
    CNAME: (value) => hostName.test(value),
};

function requireZone(stores: Stores, name: string): void {
    if (stores.zones.get(name) === undefined) {
        throw notFound("dns.zone", name);
    }
}

function checkRecord(record: RecordRow): void {
    if (!relativeName.test(record.name)) {
        throw invalid(
            "dns.record.invalid_name",
            `"${record.name}" is not a name relative to its zone`,
        );
    }
    if (!isValue[record.type](record.value)) {
        throw invalid(
            "dns.record.invalid_value",
            `"${record.value}" is no value of type ${record.type}`,
        );
    }
    if (record.type === "CNAME" && record.name === "@") {
        throw invalid("dns.record.cname_at_apex", "a CNAME cannot stand at the apex of a zone");
    }
}

export const dnsHandlers: Handlers<"zoneList" | "recordCreate" | "recordList" | "recordDelete"> = {
    zoneList: ({ stores }) => stores.zones.list(),

    recordCreate: ({ stores }, request) => {
        requireZone(stores, request.zone_name);
        const record: RecordRow = { ...request, ttl: request.ttl ?? defaultTtlSeconds };
        checkRecord(record);
        if (stores.records.get(recordKey(record)) !== undefined) {
            throw conflict("dns.record.duplicate", "an identical record exists");
        }
        const namesakes = stores.records
            .list()
            .filter((other) => other.zone_name === record.zone_name && other.name === record.name);
        const clash = namesakes.find(
            (other) => (other.type === "CNAME") !== (record.type === "CNAME"),
        );
        if (clash !== undefined) {
            throw conflict(
                "dns.record.cname_conflict",
                `a CNAME shares its name with no other type; a record of type ${clash.type} exists`,
            );
        }
        return stores.records.put(record);
    },

    recordList: ({ stores }, request) => {
        requireZone(stores, request.zone_name);
        return stores.records.list().filter((record) => record.zone_name === request.zone_name);
    },

    recordDelete: ({ stores }, request) => {
        requireZone(stores, request.zone_name);
        const key = recordKey(request);
        if (stores.records.get(key) === undefined) {
            throw notFound("dns.record", key);
        }
        stores.records.delete(key);
        return undefined;
    },
};
