import DNS2 from "dns2";

import type { Stores } from "../state/stores";

/** Names that the cloud itself answers for. */
export type OwnNames = Readonly<Record<string, string>>;

/** How long an answer may be kept, in seconds: records change while a test looks on. */
const ttlSeconds = 5;

/**
 * The resolver of the nodes' network, over UDP and TCP: the cloud's own names and the records of its
 * DNS zones; nothing else exists.
 */
export async function startResolver(
    address: string,
    stores: Stores,
    ownNames: OwnNames,
): Promise<{ close(): Promise<void> }> {
    const addressesOf = (name: string): string[] => {
        const own = ownNames[name];
        if (own !== undefined) {
            return [own];
        }
        return stores.records
            .list()
            .filter(
                (record) => record.type === "A" && fullName(record.name, record.zone_name) === name,
            )
            .map((record) => record.value);
    };
    const server = DNS2.createServer({
        udp: true,
        tcp: true,
        handle: (request, send) => {
            const answer = DNS2.Packet.createResponseFromRequest(request);
            const [question] = request.questions;
            const name = question?.name.toLowerCase() ?? "";
            const found = addressesOf(name);
            if (found.length === 0) {
                answer.header.rcode = nameError;
            }
            if (question?.type === DNS2.Packet.TYPE.A) {
                for (const one of found) {
                    answer.answers.push(
                        DNS2.Packet.createResourceFromQuestion(question, {
                            ttl: ttlSeconds,
                            address: one,
                        }),
                    );
                }
            }
            // The asker may be gone by now; it asks again when it is not.
            void send(answer).catch(() => undefined);
        },
    });
    await server.listen({ udp: { address, port: 53 }, tcp: { address, port: 53 } });
    return { close: () => server.close() };
}

/** "No such name" of RFC 1035. */
const nameError = 3;

const fullName = (name: string, zone: string): string =>
    (name.endsWith(zone) ? name : `${name}.${zone}`).toLowerCase();
