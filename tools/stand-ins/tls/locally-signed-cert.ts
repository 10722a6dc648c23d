import "reflect-metadata";

import {
    Pkcs10CertificateRequest,
    type SubjectKeyIdentifierExtension,
    X509Certificate,
} from "@peculiar/x509";

import { type Properties, requiredString } from "../plugin/properties";
import type { Created } from "../plugin/provider";
import {
    ALLOWED_USES,
    CERTIFICATE_INPUTS,
    CERTIFICATE_OUTPUTS,
    issueCertificate,
} from "./certificate";
import type { TlsResource } from "./resource";
import { readSigningKey } from "./signing-key";

/** Object identifiers of extensions (RFC 5280, 4.2.1). */
const SUBJECT_KEY_ID = "2.5.29.14";
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";

/** `tls.LocallySignedCert`: a certificate for a request, signed by a CA whose key is given. */
export const locallySignedCert: TlsResource = {
    inputs: [...CERTIFICATE_INPUTS, "caCertPem", "caPrivateKeyPem", "certRequestPem"],
    outputs: [...CERTIFICATE_OUTPUTS, "caKeyAlgorithm"],
    unsupported: ["caPrivateKeyPemWo", "caPrivateKeyPemWoVersion"],
    updatable: ["earlyRenewalHours"],
    required: [
        "allowedUses",
        "caCertPem",
        "caPrivateKeyPem",
        "certRequestPem",
        "validityPeriodHours",
    ],
    choices: { allowedUses: ALLOWED_USES },
    create,
};

async function create(inputs: Properties): Promise<Created> {
    const ca = read(inputs, "caCertPem", (pem) => new X509Certificate(pem));
    const request = read(inputs, "certRequestPem", (pem) => new Pkcs10CertificateRequest(pem));
    const signer = await readSigningKey(
        requiredString(inputs, "caPrivateKeyPem"),
        "caPrivateKeyPem",
    );
    const { id, properties } = await issueCertificate(inputs, {
        subject: request.subjectName,
        issuer: ca.subjectName,
        publicKey: request.publicKey,
        signer,
        authorityKeyId: ca.getExtension<SubjectKeyIdentifierExtension>(SUBJECT_KEY_ID)?.keyId,
        alternativeNames: request.getExtension(SUBJECT_ALTERNATIVE_NAME) ?? undefined,
    });
    return { id, properties: { ...properties, caKeyAlgorithm: signer.algorithm } };
}

function read<T>(inputs: Properties, name: string, parse: (pem: string) => T): T {
    const pem = requiredString(inputs, name);
    try {
        return parse(pem);
    } catch (error) {
        throw new Error(`${name} cannot be read as PEM: ${String(error)}`, { cause: error });
    }
}
