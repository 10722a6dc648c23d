import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";

import {
    BasicConstraintsExtension,
    ExtendedKeyUsage,
    ExtendedKeyUsageExtension,
    KeyUsageFlags,
    KeyUsagesExtension,
    SubjectAlternativeNameExtension,
    X509Certificate as ParsedCertificate,
} from "@peculiar/x509";
import { parse } from "yaml";

import type { Facts } from "./differences";

/** Authorities (PEM) by the name that facts give them. */
export type Authorities = Facts;

/**
 * The certificate that a file holds: of its own, or of a kubeconfig's user.
 *
 * @returns undefined when there is none
 */
export function certificateIn(text: string): string | undefined {
    if (text.startsWith("-----BEGIN CERTIFICATE-----")) {
        return text;
    }
    if (!text.includes("client-certificate-data")) {
        return undefined;
    }
    const { users } = parse(text) as {
        users: { user: { "client-certificate-data": string } }[];
    };
    const [only, ...others] = users;
    if (only === undefined || others.length > 0) {
        throw new Error("the kubeconfig has not one user");
    }
    return Buffer.from(only.user["client-certificate-data"], "base64").toString("utf8");
}

/** What a certificate says, with the authority that really signed it. */
export function certificateFacts(pem: string, authorities: Authorities): Facts {
    const certificate = new ParsedCertificate(pem);
    const name = certificate.subjectName;
    return {
        commonName: name.getField("CN").join(" "),
        organization: name.getField("O").join(" "),
        signedBy: signerOf(new X509Certificate(pem), authorities),
        isAuthority: String(certificate.getExtension(BasicConstraintsExtension)?.ca ?? false),
        key: keyText(new X509Certificate(pem).publicKey),
        usages: usagesOf(certificate).join(" "),
        purposes: purposesOf(certificate).join(" "),
        names: namesOf(certificate).join(" "),
        days: String(Math.floor((+certificate.notAfter - +certificate.notBefore) / 86_400_000)),
    };
}

/** Kind and size of a key in PEM, private or public. */
export function keyKind(pem: string): string {
    return keyText(pem.includes("PRIVATE") ? createPrivateKey(pem) : createPublicKey(pem));
}

function keyText({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
    const size = asymmetricKeyDetails?.namedCurve ?? asymmetricKeyDetails?.modulusLength ?? "";
    return `${asymmetricKeyType ?? "no key"} ${size}`;
}

function signerOf(certificate: X509Certificate, authorities: Authorities): string {
    const signers = Object.entries(authorities).filter(([, pem]) => {
        const authority = new X509Certificate(pem);
        return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
    });
    return signers.map(([name]) => name).join(" ");
}

/** Without enciphering of keys: RFC 8813 forbids to claim it for an elliptic curve; kubeadm does. */
function usagesOf(certificate: ParsedCertificate): string[] {
    const flags = certificate.getExtension(KeyUsagesExtension)?.usages ?? 0;
    return Object.entries(KeyUsageFlags)
        .filter(([name, flag]) => typeof flag === "number" && name !== "keyEncipherment")
        .filter(([, flag]) => (flags & (flag as number)) !== 0)
        .map(([name]) => name)
        .sort();
}

function purposesOf(certificate: ParsedCertificate): string[] {
    const names: Facts = {
        [ExtendedKeyUsage.serverAuth]: "server",
        [ExtendedKeyUsage.clientAuth]: "client",
    };
    const usages = certificate.getExtension(ExtendedKeyUsageExtension)?.usages ?? [];
    return usages.map((usage) => names[String(usage)] ?? String(usage)).sort();
}

function namesOf(certificate: ParsedCertificate): string[] {
    const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
    return names.map(({ type, value }) => `${type}:${value}`).sort();
}
