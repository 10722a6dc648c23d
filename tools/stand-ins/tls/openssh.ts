import { createHash, type JsonWebKey, type KeyObject, randomBytes } from "node:crypto";

/** The OpenSSH forms of a key pair; all empty where OpenSSH has no such key (curve P224). */
export interface OpenSshForms {
    readonly privateKey: string;
    /** One line as in `authorized_keys`, with its line end. */
    readonly publicKey: string;
    readonly fingerprintMd5: string;
    readonly fingerprintSha256: string;
}

/** Cipher block size for an unencrypted key (openssh PROTOCOL.key). */
const BLOCK = 8;

/**
 * Writes a key pair in the forms of OpenSSH (RFC 4253 6.6, RFC 5656 3.1, RFC 8709 and openssh's
 * PROTOCOL.key); node:crypto has none of them.
 *
 * @param key the private key
 * @param curve SSH's name of the curve of an ECDSA key
 */
export function openSshForms(key: KeyObject, curve: string | undefined): OpenSshForms {
    if (key.asymmetricKeyType === "ec" && curve === undefined) {
        return { privateKey: "", publicKey: "", fingerprintMd5: "", fingerprintSha256: "" };
    }
    const parts = keyParts(key.export({ format: "jwk" }), curve ?? "");
    const blob = Buffer.concat([text(parts.type), ...parts.public]);
    const md5 = createHash("md5").update(blob).digest("hex");
    const sha256 = createHash("sha256").update(blob).digest("base64");
    return {
        privateKey: privateKeyFile(blob, Buffer.concat([text(parts.type), ...parts.private])),
        publicKey: `${parts.type} ${blob.toString("base64")}\n`,
        fingerprintMd5: (md5.match(/../g) ?? []).join(":"),
        fingerprintSha256: `SHA256:${sha256.replace(/=+$/, "")}`,
    };
}

interface KeyParts {
    readonly type: string;
    readonly public: readonly Buffer[];
    readonly private: readonly Buffer[];
}

function keyParts(jwk: JsonWebKey, curve: string): KeyParts {
    const raw = (field: keyof JsonWebKey): Buffer => Buffer.from(String(jwk[field]), "base64url");
    switch (jwk.kty) {
        case "RSA":
            return {
                type: "ssh-rsa",
                public: [integer(raw("e")), integer(raw("n"))],
                private: (["n", "e", "d", "qi", "p", "q"] as const).map((part) =>
                    integer(raw(part)),
                ),
            };
        case "EC": {
            const point = [text(curve), string(Buffer.concat([Buffer.of(4), raw("x"), raw("y")]))];
            return {
                type: `ecdsa-sha2-${curve}`,
                public: point,
                private: [...point, integer(raw("d"))],
            };
        }
        default:
            return {
                type: "ssh-ed25519",
                public: [string(raw("x"))],
                private: [string(raw("x")), string(Buffer.concat([raw("d"), raw("x")]))],
            };
    }
}

function privateKeyFile(publicBlob: Buffer, privateBlob: Buffer): string {
    const check = randomBytes(4);
    const comment = text("");
    const plain = Buffer.concat([check, check, privateBlob, comment]);
    const padding = Buffer.from(
        Array.from({ length: (BLOCK - (plain.length % BLOCK)) % BLOCK }, (_, index) => index + 1),
    );
    const file = Buffer.concat([
        Buffer.from("openssh-key-v1\0"),
        text("none"),
        text("none"),
        text(""),
        uint32(1),
        string(publicBlob),
        string(Buffer.concat([plain, padding])),
    ]);
    const lines = file.toString("base64").match(/.{1,70}/g) ?? [];
    return [
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        ...lines,
        "-----END OPENSSH PRIVATE KEY-----",
        "",
    ].join("\n");
}

function uint32(value: number): Buffer {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
}

function string(bytes: Buffer): Buffer {
    return Buffer.concat([uint32(bytes.length), bytes]);
}

function text(value: string): Buffer {
    return string(Buffer.from(value));
}

/** A non-negative mpint (RFC 4251, 5): no leading zeros but the one that keeps it positive. */
function integer(bytes: Buffer): Buffer {
    const start = bytes.findIndex((byte) => byte !== 0);
    const digits = start < 0 ? Buffer.alloc(0) : bytes.subarray(start);
    const negative = (digits[0] ?? 0) > 127;
    return string(negative ? Buffer.concat([Buffer.of(0), digits]) : digits);
}
