import { includesAddress } from "../addresses";
import { type Excloud, ExcloudUnavailable } from "../excloud";
import { matchesDigest } from "../secrets";
import { refused, type RequestFacts, type Verdict, type Verifier } from "./verifier";

/** Compared with when a VM fills no slot, so that the answer takes the same path; matches nothing. */
const noDigest = "0".repeat(64);

async function check(excloud: Excloud, facts: RequestFacts): Promise<Verdict> {
    const { vmId, accessToken, slotSecret, clusterOrgId } = facts;
    if (accessToken === undefined || slotSecret === undefined) {
        return refused("missing_factor");
    }
    // First, because it costs nothing: without it nobody makes this server call Excloud.
    if (!matchesDigest(slotSecret, facts.slotSecretSha256 ?? noDigest)) {
        return refused("slot_secret_mismatch");
    }
    const principal = await excloud.me(accessToken);
    if (!principal) {
        return refused("access_token_rejected");
    }
    if (principal.kind !== "machine") {
        return refused("not_a_machine");
    }
    if (principal.orgId !== clusterOrgId) {
        return refused("other_organisation");
    }
    if (principal.vmId !== undefined && principal.vmId !== vmId) {
        return refused("other_vm");
    }

    const addresses = await excloud.vmAddresses(vmId);
    if (!addresses) {
        return refused("vm_not_found");
    }
    if (!includesAddress(addresses, facts.sourceAddress)) {
        return refused("source_address_mismatch");
    }
    return { verified: true, vmId, orgId: principal.orgId };
}

/**
 * The verifier for operators without Excloud's database. Three proofs: the secret that this slot's
 * user data carries; a machine's access token of the cluster's organisation, proven by presenting
 * it to Excloud; a source address that Excloud gives for the VM.
 */
export function selfHostedVerifier(excloud: Excloud): Verifier {
    return {
        async verify(facts) {
            try {
                return await check(excloud, facts);
            } catch (error) {
                if (error instanceof ExcloudUnavailable) {
                    return refused("excloud_unavailable");
                }
                throw error;
            }
        },
    };
}
