import "reflect-metadata";

import { createPrivateKey, sign, webcrypto, X509Certificate } from "node:crypto";

import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A certificate with its key, as PEM. */
export interface Issued {
    readonly certificate: string;
    readonly key: string;
}

export interface Authority extends Issued {
    readonly x509: x509.X509Certificate;
    readonly signingKey: webcrypto.CryptoKey;
}

/** What a certificate says; every member has a good default. */
export interface Wish {
    commonName: string;
    organizations?: readonly string[];
    usages?: readonly ("client" | "server")[];
    names?: readonly string[];
    serial?: string;
    notBefore?: Date;
    notAfter?: Date;
}

const hour = 3_600_000;
const oids = {
    server: x509.ExtendedKeyUsage.serverAuth,
    client: x509.ExtendedKeyUsage.clientAuth,
} as const;
const validity = (wish: Partial<Wish>) => ({
    notBefore: wish.notBefore ?? new Date(Date.now() - hour),
    notAfter: wish.notAfter ?? new Date(Date.now() + 1000 * hour),
});

async function newKey(): Promise<{ pair: webcrypto.CryptoKeyPair; pem: string }> {
    const pair = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const der = await webcrypto.subtle.exportKey("pkcs8", pair.privateKey);
    return { pair, pem: `${x509.PemConverter.encode(der, "PRIVATE KEY")}\n` };
}

export async function makeAuthority(
    commonName: string,
    wish: Partial<Wish> = {},
): Promise<Authority> {
    const { pair, pem } = await newKey();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
        name: `CN=${commonName}`,
        serialNumber: wish.serial ?? "01",
        keys: pair,
        signingAlgorithm: algorithm,
        ...validity(wish),
        extensions: [
            new x509.BasicConstraintsExtension(true, undefined, true),
            new x509.KeyUsagesExtension(
                x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
                true,
            ),
        ],
    });
    return {
        certificate: `${certificate.toString("pem")}\n`,
        key: pem,
        x509: certificate,
        signingKey: pair.privateKey,
    };
}

export async function issue(authority: Authority, wish: Wish): Promise<Issued> {
    const { pair, pem } = await newKey();
    const names = wish.names ?? [];
    const certificate = await x509.X509CertificateGenerator.create({
        subject: [
            { CN: [wish.commonName] },
            ...(wish.organizations ?? []).map((organization) => ({ O: [organization] })),
        ],
        issuer: authority.x509.subject,
        serialNumber: wish.serial ?? "02",
        publicKey: pair.publicKey,
        signingKey: authority.signingKey,
        signingAlgorithm: algorithm,
        ...validity(wish),
        extensions: [
            new x509.ExtendedKeyUsageExtension((wish.usages ?? []).map((usage) => oids[usage])),
            ...(names.length === 0
                ? []
                : [
                      new x509.SubjectAlternativeNameExtension(
                          names.map((value) => ({
                              type: /^[\d.]+$/.test(value) ? ("ip" as const) : ("dns" as const),
                              value,
                          })),
                      ),
                  ]),
        ],
    });
    return { certificate: `${certificate.toString("pem")}\n`, key: pem };
}

const ecdsaWithSha256 = Buffer.from("300a06082a8648ce3d040302", "hex");
const positiveSerial = "7f00000000000001";

/** A certificate that is good but for its serial number, which is negative: no library makes one. */
export async function issueWithNegativeSerial(authority: Authority, wish: Wish): Promise<Issued> {
    const issued = await issue(authority, { ...wish, serial: positiveSerial });
    const { raw } = new X509Certificate(issued.certificate);
    const outer = derHeader(raw);
    const inner = derHeader(raw.subarray(outer.size));
    const signed = Buffer.from(raw.subarray(outer.size, outer.size + inner.size + inner.length));
    signed[signed.indexOf(Buffer.from(positiveSerial, "hex"))] = 0xff;
    const signature = sign("sha256", signed, createPrivateKey(authority.key));
    const bits = Buffer.concat([Buffer.from([0x03, signature.length + 1, 0]), signature]);
    const body = Buffer.concat([signed, ecdsaWithSha256, bits]);
    const header = Buffer.from([0x30, 0x82, body.length >> 8, body.length & 0xff]);
    const der = Buffer.concat([header, body]);
    return { key: issued.key, certificate: new X509Certificate(der).toString() };
}

/** Length of a DER value, and of the header before it. */
function derHeader(der: Buffer): { size: number; length: number } {
    const first = der.readUInt8(1);
    if (first < 0x80) {
        return { size: 2, length: first };
    }
    const bytes = first & 0x7f;
    return { size: 2 + bytes, length: der.readUIntBE(2, bytes) };
}
