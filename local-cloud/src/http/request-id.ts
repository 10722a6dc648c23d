import { randomBytes } from "node:crypto";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A ULID: 48 bits of time and 80 random bits in Crockford's base 32, as Excloud's request ids look. */
export function requestId(now: number = Date.now()): string {
    let value = (BigInt(now) << 80n) | BigInt(`0x${randomBytes(10).toString("hex")}`);
    let text = "";
    for (let i = 0; i < 26; i++) {
        text = alphabet.charAt(Number(value & 31n)) + text;
        value >>= 5n;
    }
    return text;
}
