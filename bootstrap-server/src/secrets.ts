import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** SHA-256 as lower-case hex. */
export function sha256(data: string | Uint8Array): string {
    return createHash("sha256").update(data).digest("hex");
}

/** 32 random bytes as base64url: the form of every token this server makes. */
export function newToken(): string {
    return randomBytes(32).toString("base64url");
}

/**
 * Whether a presented secret has the expected SHA-256 (hex). The comparison is over digests of
 * equal length and in constant time, so it tells nothing of how much was right.
 */
export function matchesDigest(presented: string, expectedSha256: string): boolean {
    const expected = Buffer.from(expectedSha256, "hex");
    const actual = createHash("sha256").update(presented).digest();
    return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** The token of an `Authorization: Bearer` header, or undefined when there is none. */
export function bearerToken(header: string | undefined): string | undefined {
    return /^Bearer ([\x21-\x7e]+)$/i.exec(header ?? "")?.[1];
}
