import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";

import { describe, expect, test } from "@jest/globals";

import { openSshForms } from "../../../tools/stand-ins/tls/openssh";

/** Splits a buffer of length-prefixed fields (RFC 4251, 5). */
function fields(buffer: Buffer): Buffer[] {
    const length = buffer.readUInt32BE(0);
    const rest = buffer.subarray(4 + length);
    return [buffer.subarray(4, 4 + length), ...(rest.length === 0 ? [] : fields(rest))];
}

/** The public blob and the private part of an unencrypted `openssh-key-v1` file. */
function decodePrivate(pem: string): { publicBlob: Buffer; privatePart: Buffer } {
    const body = Buffer.from(pem.replace(/-----.*?-----|\n/g, ""), "base64");
    const magic = "openssh-key-v1\0";
    expect(body.subarray(0, magic.length).toString()).toBe(magic);
    let rest = body.subarray(magic.length);
    for (const expected of ["none", "none", ""]) {
        const length = rest.readUInt32BE(0);
        expect(rest.subarray(4, 4 + length).toString()).toBe(expected);
        rest = rest.subarray(4 + length);
    }
    expect(rest.readUInt32BE(0)).toBe(1);
    const [publicBlob, privatePart] = fields(rest.subarray(4));
    return { publicBlob: publicBlob ?? Buffer.of(), privatePart: privatePart ?? Buffer.of() };
}

const keys: [string, KeyObject, string | undefined][] = [
    ["ssh-rsa", generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey, undefined],
    [
        "ecdsa-sha2-nistp256",
        generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey,
        "nistp256",
    ],
    ["ssh-ed25519", generateKeyPairSync("ed25519").privateKey, undefined],
];

describe("OpenSSH forms", () => {
    test.each(keys)("%s", (type, key, curve) => {
        const forms = openSshForms(key, curve);
        const [word, base64] = forms.publicKey.trimEnd().split(" ");
        const blob = Buffer.from(base64 ?? "", "base64");
        expect(word).toBe(type);
        expect(fields(blob)[0]?.toString()).toBe(type);
        expect(forms.publicKey.endsWith("\n")).toBe(true);

        const { publicBlob, privatePart } = decodePrivate(forms.privateKey);
        expect(publicBlob).toEqual(blob);
        expect(privatePart.length % 8).toBe(0);
        expect(privatePart.subarray(0, 4)).toEqual(privatePart.subarray(4, 8));

        const sha256 = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
        expect(forms.fingerprintSha256).toBe(`SHA256:${sha256}`);
        expect(forms.fingerprintMd5).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    });

    test("RSA numbers are those of the key", () => {
        const [, key] = keys[0] ?? [];
        const jwk = key?.export({ format: "jwk" });
        const blob = Buffer.from(
            openSshForms(key as KeyObject, undefined).publicKey.split(" ")[1] ?? "",
            "base64",
        );
        const [, exponent, modulus] = fields(blob);
        expect(exponent?.toString("base64url")).toBe(jwk?.e);
        expect(modulus?.subarray(1).toString("base64url")).toBe(jwk?.n);
        expect(modulus?.[0]).toBe(0);
    });

    test("a key that OpenSSH does not know has empty forms", () => {
        const key = generateKeyPairSync("ec", { namedCurve: "secp224r1" }).privateKey;
        expect(Object.values(openSshForms(key, undefined))).toEqual(["", "", "", ""]);
    });
});
