import "reflect-metadata";

import { PublicKey, SubjectKeyIdentifierExtension } from "@peculiar/x509";

import { flag, type Properties, requiredString } from "../plugin/properties";
import type { Created } from "../plugin/provider";
import {
    ALLOWED_USES,
    CERTIFICATE_INPUTS,
    CERTIFICATE_OUTPUTS,
    issueCertificate,
} from "./certificate";
import type { TlsResource } from "./resource";
import { readSigningKey } from "./signing-key";
import { alternativeNames, subjectName } from "./subject";

/** `tls.SelfSignedCert`: a certificate signed with its own key, a root CA for example. */
export const selfSignedCert: TlsResource = {
    inputs: [
        ...CERTIFICATE_INPUTS,
        "dnsNames",
        "ipAddresses",
        "privateKeyPem",
        "setAuthorityKeyId",
        "subject",
        "uris",
    ],
    outputs: [...CERTIFICATE_OUTPUTS, "keyAlgorithm"],
    unsupported: ["privateKeyPemWo", "privateKeyPemWoVersion"],
    updatable: ["earlyRenewalHours"],
    required: ["allowedUses", "privateKeyPem", "validityPeriodHours"],
    choices: { allowedUses: ALLOWED_USES },
    create,
};

async function create(inputs: Properties): Promise<Created> {
    const signer = await readSigningKey(requiredString(inputs, "privateKeyPem"), "privateKeyPem");
    const publicKey = await PublicKey.create(signer.keys.publicKey);
    const keyId = (await SubjectKeyIdentifierExtension.create(publicKey)).keyId;
    const subject = subjectName(inputs);
    const { id, properties } = await issueCertificate(inputs, {
        subject,
        issuer: subject,
        publicKey,
        signer,
        authorityKeyId: flag(inputs, "setAuthorityKeyId") ? keyId : undefined,
        alternativeNames: alternativeNames(inputs, subject),
    });
    return {
        id,
        properties: {
            ...properties,
            keyAlgorithm: signer.algorithm,
            setAuthorityKeyId: flag(inputs, "setAuthorityKeyId"),
        },
    };
}
