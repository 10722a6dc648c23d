/** What a request for a first bundle presents. Nothing of it is believed until it is verified. */
export interface RequestFacts {
    /** The VM id of the path: a claim. */
    vmId: number;
    /** The address the request came from; through a trusted proxy, the one the proxy saw. */
    sourceAddress: string;
    /** The access token of `Authorization: Bearer`. */
    accessToken: string | undefined;
    /** The secret of the slot, as the VM sent it. */
    slotSecret: string | undefined;
    /** The session token of `X-exc-imds-token`. */
    imdsToken: string | undefined;
    /** SHA-256 (hex) of the secret of the slot the VM fills; undefined when it fills none. */
    slotSecretSha256: string | undefined;
    /** The organisation of the cluster the VM belongs to; undefined when it belongs to none. */
    clusterOrgId: number | undefined;
}

/** Why a request was refused: for the audit and the log, never for the caller. */
export type RefusalReason =
    | "malformed_request"
    | "missing_factor"
    | "slot_secret_mismatch"
    | "access_token_rejected"
    | "not_a_machine"
    | "other_organisation"
    | "other_vm"
    | "vm_not_found"
    | "source_address_mismatch"
    | "imds_token_unknown"
    | "imds_token_expired"
    | "excloud_unavailable"
    | "vm_not_bound"
    | "other_role"
    | "slot_closed";

/** A proven identity, or why there is none. */
export type Verdict =
    { verified: true; vmId: number; orgId: number } | { verified: false; reason: RefusalReason };

/** Proves from which VM of which organisation a request for a first bundle comes. */
export interface Verifier {
    verify(facts: RequestFacts): Promise<Verdict>;
}

/** A verdict of refusal. */
export function refused(reason: RefusalReason): Verdict {
    return { verified: false, reason };
}
