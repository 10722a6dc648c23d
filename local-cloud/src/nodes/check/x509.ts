import { createPrivateKey, X509Certificate } from "node:crypto";

/** Extended key usages by their object identifiers. */
const usageNames: Readonly<Record<string, string>> = {
    "1.3.6.1.5.5.7.3.1": "server",
    "1.3.6.1.5.5.7.3.2": "client",
};

/** Text as a certificate, undefined when it is none. */
export function readCertificate(pem: string | undefined): X509Certificate | undefined {
    try {
        return pem === undefined ? undefined : new X509Certificate(pem);
    } catch {
        return undefined;
    }
}

/** Extended key usages, sorted: `client`, `server`, or the identifier of another. */
export function usagesOf(certificate: X509Certificate): string[] {
    // The property's name in Node says key usage, its content is the extended one.
    const identifiers = (certificate.keyUsage as string[] | undefined) ?? [];
    return identifiers.map((identifier) => usageNames[identifier] ?? identifier).sort();
}

/** Values of one attribute of the subject, such as `CN`. */
export const subjectValues = (certificate: X509Certificate, attribute: string): string[] =>
    (certificate.subject as string | undefined)
        ?.split(/\n| \+ /)
        .filter((part) => part.startsWith(`${attribute}=`))
        .map((part) => part.slice(attribute.length + 1)) ?? [];

/** Subject alternative names as plain texts: DNS names and IP addresses. */
export const alternativeNames = (certificate: X509Certificate): string[] =>
    (certificate.subjectAltName ?? "")
        .split(", ")
        .map((entry) => entry.replace(/^(DNS|IP Address):/, ""))
        .filter((entry) => entry !== "");

/** Whether `ca` issued the certificate: by name, by constraint, and by signature. */
export const isIssuedBy = (certificate: X509Certificate, ca: X509Certificate): boolean =>
    ca.ca && certificate.checkIssued(ca) && certificate.verify(ca.publicKey);

/**
 * Whether the serial number is a positive one. Node prints a negative one with a sign; Go, which all
 * of Kubernetes is written in, refuses it.
 */
export const hasPositiveSerial = (certificate: X509Certificate): boolean =>
    /^[0-9A-F]+$/.test(certificate.serialNumber) && !/^0+$/.test(certificate.serialNumber);

/** Whether the PEM text is the private key of the certificate. */
export function isKeyOf(certificate: X509Certificate, pem: string): boolean {
    try {
        return certificate.checkPrivateKey(createPrivateKey(pem));
    } catch {
        return false;
    }
}
