import { includesAddress } from "../addresses";
import { type Excloud, ExcloudUnavailable } from "../excloud";
import { sha256 } from "../secrets";
import type { Clock } from "../store/clock";
import { cloudVmAddresses } from "../store/cloud-tables";
import type { Db } from "../store/schema";
import { refused, type RequestFacts, type Verdict, type Verifier } from "./verifier";

async function check(
    db: Db,
    clock: Clock,
    excloud: Excloud,
    facts: RequestFacts,
): Promise<Verdict> {
    const { vmId, accessToken, imdsToken } = facts;
    if (accessToken === undefined || imdsToken === undefined) {
        return refused("missing_factor");
    }
    const session = await db
        .selectFrom("imds_tokens")
        .selectAll()
        .where("hash", "=", sha256(imdsToken))
        .executeTakeFirst();
    if (!session) {
        return refused("imds_token_unknown");
    }
    if (session.expiry_at.getTime() <= (await clock(db)).getTime()) {
        return refused("imds_token_expired");
    }
    if (session.vm_id !== vmId) {
        return refused("other_vm");
    }

    const principal = await excloud.me(accessToken);
    if (!principal) {
        return refused("access_token_rejected");
    }
    if (principal.kind !== "machine") {
        return refused("not_a_machine");
    }
    if (principal.orgId !== session.org_id) {
        return refused("other_organisation");
    }
    if (principal.vmId !== undefined && principal.vmId !== vmId) {
        return refused("other_vm");
    }

    const addresses = await cloudVmAddresses(db, vmId);
    if (!includesAddress(addresses, facts.sourceAddress)) {
        return refused("source_address_mismatch");
    }
    return { verified: true, vmId, orgId: principal.orgId };
}

/**
 * The verifier of Excloud's own service, on its shared database. The proofs of the seed: the IMDS
 * session token is known by its hash and not expired; the access token is a machine's; both belong
 * to one organisation and the session to the VM of the path. Beside them, the source address must be
 * one that the cloud's tables give for the VM.
 */
export function excloudVerifier(db: Db, clock: Clock, excloud: Excloud): Verifier {
    return {
        async verify(facts) {
            try {
                return await check(db, clock, excloud, facts);
            } catch (error) {
                if (error instanceof ExcloudUnavailable) {
                    return refused("excloud_unavailable");
                }
                throw error;
            }
        },
    };
}
