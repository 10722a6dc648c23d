import { generateKeyPair, randomBytes, X509Certificate } from "node:crypto";
import { promisify } from "node:util";

import { md, pki } from "node-forge";

import { isAddress } from "./addresses";
import { dataPaths, readIfThere, writeAtomically } from "./data-dir";
import { StartupError } from "./errors";

/** What HTTPS is served with, and the authority that nodes and operators pin. */
export interface TlsFiles {
    caPem: string;
    caFile: string;
    certificatePem: string;
    keyPem: string;
}

const day = 24 * 60 * 60 * 1000;
const caDays = 3650;
const serverDays = 397;
/** The server certificate is renewed at a start within this many days of its end. */
const renewalDays = 30;

const caSubject = [{ name: "commonName", value: "excloud-k8s-bootstrap CA" }];
const serverSubject = [{ name: "commonName", value: "excloud-k8s-bootstrap" }];
/** Names every server certificate holds. */
const loopback = ["localhost", "127.0.0.1", "::1"];

async function newKey(bits: number): Promise<string> {
    const { privateKey } = await promisify(generateKeyPair)("rsa", {
        modulusLength: bits,
        publicKeyEncoding: { type: "spki", format: "pem" },
        privateKeyEncoding: { type: "pkcs1", format: "pem" },
    });
    return privateKey;
}

/** node-forge writes CRLF; these files are read by tools that expect LF. */
function withLineFeeds(pem: string): string {
    return pem.replace(/\r\n/g, "\n");
}

/** 16 random bytes; the first is 1 to 127, so the number is positive and has no leading zero. */
function newSerial(): string {
    const bytes = randomBytes(16);
    bytes[0] = ((bytes[0] as number) % 127) + 1;
    return bytes.toString("hex");
}

function newCertificate(options: {
    subject: pki.CertificateField[];
    issuer: pki.CertificateField[];
    publicKey: pki.PublicKey;
    days: number;
    now: Date;
    extensions: object[];
}): pki.Certificate {
    const certificate = pki.createCertificate();
    certificate.publicKey = options.publicKey;
    certificate.serialNumber = newSerial();
    // An hour back, for clocks that are a little behind.
    certificate.validity.notBefore = new Date(options.now.getTime() - 60 * 60 * 1000);
    certificate.validity.notAfter = new Date(options.now.getTime() + options.days * day);
    certificate.setSubject(options.subject);
    certificate.setIssuer(options.issuer);
    certificate.setExtensions(options.extensions);
    return certificate;
}

function signed(certificate: pki.Certificate, signer: pki.rsa.PrivateKey): string {
    certificate.sign(signer, md.sha256.create());
    return withLineFeeds(pki.certificateToPem(certificate));
}

/** Makes an authority: certificate and key as PEM. */
async function newAuthority(now: Date): Promise<{ certificatePem: string; keyPem: string }> {
    const keyPem = await newKey(3072);
    const key = pki.privateKeyFromPem(keyPem);
    const certificate = newCertificate({
        subject: caSubject,
        issuer: caSubject,
        publicKey: pki.setRsaPublicKey(key.n, key.e),
        days: caDays,
        now,
        extensions: [
            { name: "basicConstraints", cA: true, pathLenConstraint: 0, critical: true },
            { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
            { name: "subjectKeyIdentifier" },
        ],
    });
    return { certificatePem: signed(certificate, key), keyPem };
}

/** Issues a server certificate for host names and addresses: certificate and key as PEM. */
async function newServerCertificate(
    authority: { certificatePem: string; keyPem: string },
    hosts: readonly string[],
    now: Date,
): Promise<{ certificatePem: string; keyPem: string }> {
    const keyPem = await newKey(2048);
    const key = pki.privateKeyFromPem(keyPem);
    const ca = pki.certificateFromPem(authority.certificatePem);
    const altNames = hosts.map((host) =>
        isAddress(host) ? { type: 7, ip: host } : { type: 2, value: host },
    );
    const certificate = newCertificate({
        subject: serverSubject,
        issuer: ca.subject.attributes,
        publicKey: pki.setRsaPublicKey(key.n, key.e),
        days: serverDays,
        now,
        extensions: [
            { name: "basicConstraints", cA: false, critical: true },
            { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
            { name: "extKeyUsage", serverAuth: true },
            { name: "subjectAltName", altNames },
            { name: "subjectKeyIdentifier" },
            {
                name: "authorityKeyIdentifier",
                keyIdentifier: ca.generateSubjectKeyIdentifier().getBytes(),
            },
        ],
    });
    const caKey = pki.privateKeyFromPem(authority.keyPem);
    return { certificatePem: signed(certificate, caKey), keyPem };
}

/** Hosts of a server certificate: loopback first, no host twice. */
function serverHosts(extraHosts: readonly string[]): string[] {
    return [...new Set([...loopback, ...extraHosts])];
}

/** Whether a server certificate still does: of this authority, for all hosts, not near its end. */
function isUsable(
    certificatePem: string,
    caPem: string,
    hosts: readonly string[],
    now: Date,
): boolean {
    const certificate = new X509Certificate(certificatePem);
    const ca = new X509Certificate(caPem);
    const end = new Date(certificate.validTo).getTime();
    return (
        certificate.checkIssued(ca) &&
        certificate.verify(ca.publicKey) &&
        end - now.getTime() > renewalDays * day &&
        hosts.every((host) =>
            isAddress(host) ? certificate.checkIP(host) : certificate.checkHost(host),
        )
    );
}

async function ensureAuthority(dataDir: string, now: Date) {
    const paths = dataPaths(dataDir);
    const certificatePem = await readIfThere(paths.caCertificate);
    const keyPem = await readIfThere(paths.caKey);
    if (certificatePem && keyPem) {
        return { certificatePem, keyPem };
    }
    if (certificatePem) {
        // Making another authority would lock out every node that pins this one.
        throw new StartupError(
            `${paths.caKey} is missing beside ${paths.caCertificate}: restore it, or remove both to start with a new authority that nodes must then be given`,
        );
    }
    const authority = await newAuthority(now);
    // The key first: a certificate alone is refused above, a key alone is made anew.
    await writeAtomically(paths.caKey, authority.keyPem, 0o600);
    await writeAtomically(paths.caCertificate, authority.certificatePem, 0o644);
    return authority;
}

/**
 * The TLS files of a data folder. At first start an RSA authority and a server certificate are made;
 * later the server certificate is renewed when it is near its end or lacks a host.
 */
export async function ensureTls(
    dataDir: string,
    extraHosts: readonly string[],
    now: Date,
): Promise<TlsFiles> {
    const paths = dataPaths(dataDir);
    const authority = await ensureAuthority(dataDir, now);
    const hosts = serverHosts(extraHosts);
    const caPem = authority.certificatePem;
    let certificatePem = await readIfThere(paths.serverCertificate);
    let keyPem = await readIfThere(paths.serverKey);
    if (!certificatePem || !keyPem || !isUsable(certificatePem, caPem, hosts, now)) {
        ({ certificatePem, keyPem } = await newServerCertificate(authority, hosts, now));
        await writeAtomically(paths.serverKey, keyPem, 0o600);
        await writeAtomically(paths.serverCertificate, certificatePem, 0o644);
    }
    return { caPem, caFile: paths.caCertificate, certificatePem, keyPem };
}
