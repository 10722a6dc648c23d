import "reflect-metadata";

import { createHash } from "node:crypto";

import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";

import { type Properties, requiredString } from "../plugin/properties";
import type { Created } from "../plugin/provider";
import type { TlsResource } from "./resource";
import { readSigningKey } from "./signing-key";
import { alternativeNames, subjectName } from "./subject";

/** `tls.CertRequest`: a request (PKCS #10) that a CA turns into a certificate. */
export const certRequest: TlsResource = {
    inputs: ["dnsNames", "ipAddresses", "privateKeyPem", "subject", "uris"],
    outputs: ["certRequestPem", "keyAlgorithm"],
    unsupported: ["privateKeyPemWo", "privateKeyPemWoVersion"],
    updatable: [],
    required: ["privateKeyPem"],
    choices: {},
    create,
};

async function create(inputs: Properties): Promise<Created> {
    const key = await readSigningKey(requiredString(inputs, "privateKeyPem"), "privateKeyPem");
    const subject = subjectName(inputs);
    const names = alternativeNames(inputs, subject);
    const request = await Pkcs10CertificateRequestGenerator.create({
        name: subject,
        keys: key.keys,
        signingAlgorithm: key.signing,
        extensions: names === undefined ? [] : [names],
    });
    const certRequestPem = `${request.toString("pem").trimEnd()}\n`;
    return {
        id: createHash("sha1").update(certRequestPem).digest("hex"),
        properties: { ...inputs, certRequestPem, keyAlgorithm: key.algorithm },
    };
}
