import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from "node:crypto";

/** A private key ready to sign, with its public half and the provider's name of its algorithm. */
export interface SigningKey {
    readonly algorithm: "RSA" | "ECDSA" | "ED25519";
    readonly keys: { readonly privateKey: CryptoKey; readonly publicKey: CryptoKey };
    readonly signing: { readonly name: string; readonly hash?: string };
}

type CryptoKey = webcrypto.CryptoKey;

/** Curves that can sign, by node:crypto's names, with WebCrypto's name and the hash that fits. */
const SIGNING_CURVES: Readonly<Record<string, { name: string; hash: string }>> = {
    prime256v1: { name: "P-256", hash: "SHA-256" },
    secp384r1: { name: "P-384", hash: "SHA-384" },
    secp521r1: { name: "P-521", hash: "SHA-512" },
};

/**
 * Reads a private key in any PEM form (PKCS #1, SEC 1, PKCS #8).
 *
 * @param property name of the property that holds it, for the message
 * @throws when the text is no private key or of a kind that cannot sign here; never with the text
 */
export async function readSigningKey(pem: string, property: string): Promise<SigningKey> {
    const key = parse(pem, property);
    const { algorithm, parameters, signing } = signingScheme(key, property);
    const { subtle } = webcrypto;
    const [privateKey, publicKey] = await Promise.all([
        subtle.importKey("pkcs8", key.export({ format: "der", type: "pkcs8" }), parameters, false, [
            "sign",
        ]),
        subtle.importKey(
            "spki",
            createPublicKey(key).export({ format: "der", type: "spki" }),
            parameters,
            true,
            ["verify"],
        ),
    ]);
    return { algorithm, keys: { privateKey, publicKey }, signing };
}

function parse(pem: string, property: string): KeyObject {
    try {
        return createPrivateKey(pem);
    } catch {
        throw new Error(`${property} is not a private key in PEM: give the key's privateKeyPem`);
    }
}

type Scheme = Pick<SigningKey, "algorithm" | "signing"> & {
    readonly parameters: { name: string; hash?: string; namedCurve?: string };
};

function signingScheme(key: KeyObject, property: string): Scheme {
    switch (key.asymmetricKeyType) {
        case "rsa": {
            const parameters = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
            return { algorithm: "RSA", parameters, signing: parameters };
        }
        case "ed25519":
            return {
                algorithm: "ED25519",
                parameters: { name: "Ed25519" },
                signing: { name: "Ed25519" },
            };
        case "ec": {
            const named = key.asymmetricKeyDetails?.namedCurve ?? "";
            const curve = SIGNING_CURVES[named];
            if (curve === undefined) {
                throw new Error(
                    `${property} is an ECDSA key on ${named}, with which this stand-in cannot sign: ` +
                        `name the curve of the key (ecdsaCurve: "P256", "P384" or "P521")`,
                );
            }
            return {
                algorithm: "ECDSA",
                parameters: { name: "ECDSA", namedCurve: curve.name },
                signing: { name: "ECDSA", hash: curve.hash },
            };
        }
        default:
            throw new Error(
                `${property} is a ${key.asymmetricKeyType ?? "unknown"} key: use RSA, ECDSA or ED25519`,
            );
    }
}
