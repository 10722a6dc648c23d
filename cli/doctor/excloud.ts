import type { ExcloudApi } from "../../provider/context";
import { lookUp } from "../../provider/credentials";
import { ApiError } from "../../provider/errors";
import { type Check, fail, ok, warn } from "./check";
import type { Facts } from "./facts";
import { get } from "./get";
import { NotChecked } from "./needed";

/** Seconds by which the clock may be wrong: a certificate is valid from the moment it is made. */
const skew = { warn: 10, fail: 60 };

/** Excloud's own APIs, as the provider calls them. */
export const excloudChecks: readonly Check[] = [
    {
        name: "Excloud credential",
        run: async (facts) => {
            try {
                const { kind, org_id } = await facts.principal();
                return ok(`a ${kind} of organisation ${org_id}`);
            } catch (error) {
                if (error instanceof ApiError && (error.isNotFound || error.isUnknownRoute)) {
                    return warn(
                        "there is one; this Excloud does not say whose it is",
                        "see whether the compute API takes it",
                    );
                }
                throw error;
            }
        },
    },
    {
        name: "compute API",
        run: async (facts) => {
            const types = await (await excloud(facts))("instanceTypeList");
            return ok(`answers; ${types.length} instance types`);
        },
    },
    {
        name: "DNS API",
        run: async (facts) => {
            const zones = await (await excloud(facts))("zoneList");
            return zones.length > 0
                ? ok(`answers; zones of yours: ${zones.map(({ name }) => name).join(", ")}`)
                : warn(
                      "answers; you have no zone, so that a cluster gets no DNS name",
                      "make a zone and give it as dnsZone, or reach the cluster by address",
                  );
        },
    },
    {
        name: "clock",
        run: async (facts) => {
            const url = lookUp("computeBaseUrl", await facts.readable());
            const before = Date.now();
            const { date } = await get(url);
            const there = Date.parse(date);
            if (Number.isNaN(there)) {
                return warn(`${url} answers without a date`, "compare the clock by hand");
            }
            // The header has whole seconds, and the answer took its time.
            const off = Math.max(0, before - there - 1000, there - Date.now()) / 1000;
            const seen = `${Math.round(off)} s off the clock of ${url}`;
            const next = "set the clock, for example by `timedatectl set-ntp true`";
            if (off > skew.fail) {
                return fail(
                    `${seen}: nodes take new certificates for not yet valid, or ended`,
                    next,
                );
            }
            return off > skew.warn ? warn(seen, next) : ok(seen);
        },
    },
];

/** Unless the credential is known to be good for nothing. */
async function excloud(facts: Facts): Promise<ExcloudApi> {
    const refusal = await facts.principal().then(
        () => undefined,
        (error: unknown) => error,
    );
    if (refusal !== undefined && (!(refusal instanceof ApiError) || refusal.status === 401)) {
        throw new NotChecked("not checked: it needs a good Excloud credential");
    }
    return (await facts.context()).excloud();
}
