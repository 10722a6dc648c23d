import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

import { sha256 } from "../secrets";

/** Bytes of an AES-256 key. */
export const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** A sealed text: which key sealed it, its nonce, ciphertext followed by the authentication tag. */
export interface Sealed {
    keyId: string;
    nonce: Uint8Array;
    sealed: Uint8Array;
}

/**
 * Seals and opens texts with AES-256-GCM. The first key seals; every key opens what it sealed, so a
 * key is rotated by putting a new one in front.
 */
export class Keyring {
    private readonly keys: ReadonlyMap<string, Buffer>;
    /** Id of the key that seals: the first 16 hex digits of its SHA-256. */
    readonly activeId: string;

    constructor(keys: readonly [Buffer, ...Buffer[]]) {
        this.keys = new Map(keys.map((key) => [sha256(key).slice(0, 16), key]));
        this.activeId = sha256(keys[0]).slice(0, 16);
    }

    /** Ids of all keys at hand. */
    get ids(): string[] {
        return [...this.keys.keys()];
    }

    /** Whether rows sealed with this key can be opened. */
    has(keyId: string): boolean {
        return this.keys.has(keyId);
    }

    /** Seals a text. `context` is authenticated, not stored: a row moved elsewhere does not open. */
    seal(text: string, context: string): Sealed {
        const nonce = randomBytes(nonceBytes);
        const cipher = createCipheriv("aes-256-gcm", this.key(this.activeId), nonce);
        cipher.setAAD(Buffer.from(context));
        const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
        const sealed = Buffer.concat([body, cipher.getAuthTag()]);
        return { keyId: this.activeId, nonce, sealed };
    }

    /** Opens what `seal` made with the same context. Throws when the key is missing or it was changed. */
    open({ keyId, nonce, sealed }: Sealed, context: string): string {
        const bytes = Buffer.from(sealed);
        const decipher = createDecipheriv("aes-256-gcm", this.key(keyId), nonce, {
            authTagLength: tagBytes,
        });
        decipher.setAAD(Buffer.from(context));
        decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
        const body = bytes.subarray(0, bytes.length - tagBytes);
        return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
    }

    private key(keyId: string): Buffer {
        const key = this.keys.get(keyId);
        if (!key) {
            throw new Error(`no encryption key with id ${keyId} is configured`);
        }
        return key;
    }
}
