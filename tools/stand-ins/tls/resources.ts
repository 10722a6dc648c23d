import { certRequest } from "./cert-request";
import { locallySignedCert } from "./locally-signed-cert";
import { privateKey } from "./private-key";
import type { TlsResource } from "./resource";
import { selfSignedCert } from "./self-signed-cert";

/** Every resource type of the plugin, by the last part of its type token. */
export const TLS_RESOURCES: Readonly<Record<string, TlsResource>> = {
    PrivateKey: privateKey,
    SelfSignedCert: selfSignedCert,
    CertRequest: certRequest,
    LocallySignedCert: locallySignedCert,
};
