import { createHash, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";

import { optionalNumber, optionalString, type Properties } from "../plugin/properties";
import type { Created } from "../plugin/provider";
import { CURVES } from "./names";
import { openSshForms } from "./openssh";
import type { TlsResource } from "./resource";

const ALGORITHMS = ["RSA", "ECDSA", "ED25519"];
const DEFAULT_CURVE = "P224";
const DEFAULT_RSA_BITS = 2048;

/** `tls.PrivateKey`: a key pair in every form the provider gives. */
export const privateKey: TlsResource = {
    inputs: ["algorithm", "ecdsaCurve", "rsaBits"],
    outputs: [
        "privateKeyOpenssh",
        "privateKeyPem",
        "privateKeyPemPkcs8",
        "publicKeyFingerprintMd5",
        "publicKeyFingerprintSha256",
        "publicKeyOpenssh",
        "publicKeyPem",
    ],
    unsupported: [],
    updatable: [],
    required: ["algorithm"],
    choices: { algorithm: ALGORITHMS, ecdsaCurve: Object.keys(CURVES) },
    create,
};

async function create(inputs: Properties): Promise<Created> {
    const algorithm = optionalString(inputs, "algorithm");
    const curve = optionalString(inputs, "ecdsaCurve") ?? DEFAULT_CURVE;
    const bits = optionalNumber(inputs, "rsaBits") ?? DEFAULT_RSA_BITS;
    const key = await generate(algorithm, curve, bits);
    const publicKey = createPublicKey(key);
    const ssh = openSshForms(key, CURVES[curve]?.ssh);
    const spki = publicKey.export({ format: "der", type: "spki" });
    return {
        id: createHash("sha1").update(spki).digest("hex"),
        properties: {
            ...inputs,
            ecdsaCurve: curve,
            rsaBits: bits,
            privateKeyPem: traditionalPem(key),
            privateKeyPemPkcs8: key.export({ format: "pem", type: "pkcs8" }).toString(),
            publicKeyPem: publicKey.export({ format: "pem", type: "spki" }).toString(),
            privateKeyOpenssh: ssh.privateKey,
            publicKeyOpenssh: ssh.publicKey,
            publicKeyFingerprintMd5: ssh.fingerprintMd5,
            publicKeyFingerprintSha256: ssh.fingerprintSha256,
        },
    };
}

/** On the thread pool: a large RSA key takes seconds, and other resources go on meanwhile. */
function generate(algorithm: string | undefined, curve: string, bits: number): Promise<KeyObject> {
    return new Promise((resolve, reject) => {
        const done = (error: Error | null, _public: KeyObject, key: KeyObject): void =>
            error ? reject(error) : resolve(key);
        switch (algorithm) {
            case "RSA":
                return generateKeyPair("rsa", { modulusLength: bits }, done);
            case "ECDSA":
                return generateKeyPair("ec", { namedCurve: CURVES[curve]?.node ?? curve }, done);
            default:
                return generateKeyPair("ed25519", undefined, done);
        }
    });
}

/** PKCS #1 for RSA, SEC 1 for ECDSA, as the provider writes; Ed25519 knows only PKCS #8. */
function traditionalPem(key: KeyObject): string {
    const types = { rsa: "pkcs1", ec: "sec1" } as const;
    const type = types[key.asymmetricKeyType as keyof typeof types] ?? "pkcs8";
    return key.export({ format: "pem", type }).toString();
}
