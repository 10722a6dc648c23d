import { isIP } from "node:net";

import type * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

/** Algorithm of private keys. The service-account key is RSA whichever is chosen. */
export enum KeyAlgorithm {
    /** P-256. */
    Ecdsa = "ECDSA",
    /** 2048 bits. */
    Rsa = "RSA",
}

/** How certificates are made. */
export interface IssuePolicy {
    keyAlgorithm: KeyAlgorithm;
    validityHours: number;
    /** A certificate is issued anew by the first `up` this long before its end. */
    renewBeforeHours: number;
}

/** A certificate and its private key, PEM. */
export interface KeyPair {
    certPem: pulumi.Output<string>;
    /** Secret. */
    keyPem: pulumi.Output<string>;
    /** RFC 3339. */
    notAfter: pulumi.Output<string>;
}

interface Request {
    commonName: pulumi.Input<string>;
    organization?: string | undefined;
    usages: readonly ("server" | "client")[];
    /** Names and addresses, mixed; empty ones are left out. */
    subjectAltNames?: pulumi.Output<string[]>;
}

/** Makes a private key of the chosen algorithm. The curve is always named: the provider's default is P-224. */
function makeKey(
    name: string,
    algorithm: KeyAlgorithm,
    options: pulumi.CustomResourceOptions,
): tls.PrivateKey {
    const shape = algorithm === KeyAlgorithm.Rsa ? { rsaBits: 2048 } : { ecdsaCurve: "P256" };
    return new tls.PrivateKey(name, { algorithm, ...shape }, options);
}

/** Makes an authority that signs for ten years. */
export function makeAuthority(
    name: string,
    commonName: string,
    algorithm: KeyAlgorithm,
    options: pulumi.CustomResourceOptions,
): KeyPair {
    const key = makeKey(name, algorithm, options);
    const certificate = new tls.SelfSignedCert(
        name,
        {
            privateKeyPem: key.privateKeyPem,
            subject: { commonName },
            isCaCertificate: true,
            setSubjectKeyId: true,
            allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
            validityPeriodHours: 10 * 365 * 24,
        },
        options,
    );
    return {
        certPem: certificate.certPem,
        keyPem: key.privateKeyPem,
        notAfter: certificate.validityEndTime,
    };
}

/** Issues a leaf certificate. */
export function issue(
    name: string,
    authority: { certPem: pulumi.Input<string>; keyPem: pulumi.Input<string> },
    policy: IssuePolicy,
    request: Request,
    options: pulumi.CustomResourceOptions,
): KeyPair {
    const key = makeKey(name, policy.keyAlgorithm, options);
    const sans = request.subjectAltNames?.apply((names) => [
        ...new Set(names.filter((text) => text !== "")),
    ]);
    const csr = new tls.CertRequest(
        name,
        {
            privateKeyPem: key.privateKeyPem,
            subject: {
                commonName: request.commonName,
                ...(request.organization ? { organization: request.organization } : {}),
            },
            ...(sans
                ? {
                      dnsNames: sans.apply((all) => all.filter((text) => isIP(text) === 0)),
                      ipAddresses: sans.apply((all) => all.filter((text) => isIP(text) !== 0)),
                  }
                : {}),
        },
        options,
    );
    const certificate = new tls.LocallySignedCert(
        name,
        {
            certRequestPem: csr.certRequestPem,
            caCertPem: authority.certPem,
            caPrivateKeyPem: authority.keyPem,
            allowedUses: [
                "digital_signature",
                ...(policy.keyAlgorithm === KeyAlgorithm.Rsa ? ["key_encipherment"] : []),
                ...request.usages.map((usage) => `${usage}_auth`),
            ],
            setSubjectKeyId: true,
            validityPeriodHours: policy.validityHours,
            earlyRenewalHours: policy.renewBeforeHours,
        },
        options,
    );
    return {
        certPem: certificate.certPem,
        keyPem: key.privateKeyPem,
        notAfter: certificate.validityEndTime,
    };
}
