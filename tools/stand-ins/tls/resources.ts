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

/**
 * The resource type of a URN (`urn:pulumi:stack::project::parent$tls:index/privateKey:PrivateKey::name`).
 * @throws when the plugin has no such type
 */
export function resourceOf(urn: string): TlsResource {
    const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
    const resource = TLS_RESOURCES[type.split(":").at(-1) ?? ""];
    if (resource === undefined) {
        throw new Error(
            `the stand-in for the tls plugin has no resource type ${type}: it has ${Object.keys(TLS_RESOURCES).join(", ")}`,
        );
    }
    return resource;
}
