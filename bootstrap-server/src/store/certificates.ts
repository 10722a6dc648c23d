import { X509Certificate } from "node:crypto";

const pemBlock = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
/** A client's certificate in a kubeconfig: base64 of its PEM text. */
const embedded = /client-certificate-data:\s*([A-Za-z0-9+/=]+)/g;

function certificatesIn(content: string): string[] {
    const decoded = [...content.matchAll(embedded)].map(([, base64 = ""]) =>
        Buffer.from(base64, "base64").toString("utf8"),
    );
    return [content, ...decoded].flatMap((text) => text.match(pemBlock) ?? []);
}

function endOf(pem: string): Date[] {
    try {
        return [new Date(new X509Certificate(pem).validTo)];
    } catch {
        // Looks like a certificate and is none: whoever uses the file says so better than we can.
        return [];
    }
}

/**
 * When the first certificate of a file ends: PEM blocks, and client certificates of kubeconfigs.
 * Undefined when the file holds none. Keys are not looked at.
 */
export function certificateExpiry(content: string): Date | undefined {
    return certificatesIn(content)
        .flatMap(endOf)
        .sort((a, b) => a.getTime() - b.getTime())[0];
}
