import { createRemoteJWKSet, errors, jwtVerify } from "jose";

import { ApiError } from "../errors";
import type { OperatorVerifier } from "./operator";

/** Which tokens of an identity provider are an operator's. */
export interface JwtOptions {
    issuer: string;
    audience: string;
    /** Where the provider publishes its keys. */
    jwksUrl: string;
    /**
     * The subjects that are operators. Never all: some providers give anybody a token for any
     * audience.
     */
    subjects: readonly string[];
}

/** Asymmetric only: with a shared secret, whoever can verify could sign. */
const algorithms = ["RS256", "ES256"];
/** How far the provider's clock may be off, in seconds. */
const clockTolerance = 60;
/** How long the provider's keys may take to arrive, in milliseconds. */
const timeoutDuration = 5000;

/** What is wrong with a token; anything else is wrong with the provider. */
const refusals = [
    errors.JWTExpired,
    errors.JWTClaimValidationFailed,
    errors.JWTInvalid,
    errors.JWSInvalid,
    errors.JWSSignatureVerificationFailed,
    errors.JOSEAlgNotAllowed,
    errors.JOSENotSupported,
    errors.JWKSNoMatchingKey,
];

/** Signed tokens (JWT) of an identity provider. Its keys are read when needed, and kept a while. */
export function jwtOperator(options: JwtOptions): OperatorVerifier {
    const keys = createRemoteJWKSet(new URL(options.jwksUrl), { timeoutDuration });
    return {
        async verify(presented) {
            try {
                const { payload } = await jwtVerify(presented, keys, {
                    issuer: options.issuer,
                    audience: options.audience,
                    algorithms,
                    clockTolerance,
                    requiredClaims: ["exp", "sub"],
                });
                const { sub = "" } = payload;
                return options.subjects.includes(sub) ? { name: `jwt ${sub}` } : undefined;
            } catch (error) {
                if (refusals.some((kind) => error instanceof kind)) {
                    return undefined;
                }
                throw new ApiError(
                    503,
                    "bootstrap.operator.unavailable",
                    `the keys of the identity provider at ${options.jwksUrl} could not be read: try again`,
                );
            }
        },
    };
}
