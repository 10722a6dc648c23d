import { createHash, randomBytes } from "node:crypto";

import type { TokenRow } from "./model";
import type { Stores } from "./stores";

/** Who calls: the operator by API key, or a VM by the token that IMDS minted for it. */
export interface Caller {
    readonly orgId: number;
    readonly kind: "user" | "machine";
    readonly vmId?: number;
}

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The tokens of one organisation. */
export class Tokens {
    private readonly apiKeyHash: string;

    constructor(
        private readonly stores: Stores,
        private readonly orgId: number,
        apiKey: string,
        private readonly lifetimeMs: number,
    ) {
        this.apiKeyHash = hashOf(apiKey);
    }

    /** Mints a token for a VM: an IMDS session token, or an access token. */
    mint(kind: TokenRow["kind"], vmId: number): string {
        this.forgetExpired();
        const text = `${kind}_${randomBytes(32).toString("base64url")}`;
        this.stores.tokens.put({
            hash: hashOf(text),
            kind,
            org_id: this.orgId,
            vm_id: vmId,
            expires_at: new Date(Date.now() + this.lifetimeMs).toISOString(),
        });
        return text;
    }

    /** Whether the text is a valid IMDS session token of this VM. */
    isSession(text: string, vmId: number): boolean {
        const row = this.valid(text);
        return row?.kind === "imds" && row.vm_id === vmId;
    }

    /** Whom a bearer token stands for; undefined when it is unknown, expired or of another kind. */
    caller(bearer: string): Caller | undefined {
        if (hashOf(bearer) === this.apiKeyHash) {
            return { orgId: this.orgId, kind: "user" };
        }
        const row = this.valid(bearer);
        return row?.kind === "machine"
            ? { orgId: row.org_id, kind: "machine", vmId: row.vm_id }
            : undefined;
    }

    /** Ends all tokens of a VM. */
    revoke(vmId: number): void {
        for (const row of this.stores.tokens.list()) {
            if (row.vm_id === vmId) {
                this.stores.tokens.delete(row.hash);
            }
        }
    }

    private valid(text: string): TokenRow | undefined {
        const row = this.stores.tokens.get(hashOf(text));
        return row !== undefined && Date.parse(row.expires_at) > Date.now() ? row : undefined;
    }

    private forgetExpired(): void {
        for (const row of this.stores.tokens.list()) {
            if (Date.parse(row.expires_at) <= Date.now()) {
                this.stores.tokens.delete(row.hash);
            }
        }
    }
}
