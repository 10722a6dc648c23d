import "reflect-metadata";

import { randomBytes } from "node:crypto";

import type { PublicKey } from "@peculiar/x509";
import {
    AuthorityKeyIdentifierExtension,
    BasicConstraintsExtension,
    ExtendedKeyUsageExtension,
    type Extension,
    KeyUsagesExtension,
    type Name,
    SubjectKeyIdentifierExtension,
    X509CertificateGenerator,
} from "@peculiar/x509";

import { flag, optionalNumber, type Properties, stringList } from "../plugin/properties";
import type { Created } from "../plugin/provider";
import { EXTENDED_KEY_USAGES, KEY_USAGES } from "./names";
import type { SigningKey } from "./signing-key";
import { rfc3339, validityFromNow } from "./validity";

/** Inputs that every certificate has. */
export const CERTIFICATE_INPUTS = [
    "allowedUses",
    "earlyRenewalHours",
    "isCaCertificate",
    "maxPathLength",
    "setSubjectKeyId",
    "validityPeriodHours",
] as const;

/** Outputs that every certificate has. */
export const CERTIFICATE_OUTPUTS = [
    "certPem",
    "readyForRenewal",
    "validityEndTime",
    "validityStartTime",
] as const;

/** Values `allowedUses` may have. */
export const ALLOWED_USES = [...Object.keys(KEY_USAGES), ...Object.keys(EXTENDED_KEY_USAGES)];

/** What differs between a self-signed certificate and one that a CA signs. */
export interface CertificateRequestParts {
    readonly subject: Name;
    readonly issuer: Name;
    readonly publicKey: PublicKey;
    readonly signer: SigningKey;
    /** Hex key identifier of the issuer, where the certificate is to carry it. */
    readonly authorityKeyId: string | undefined;
    readonly alternativeNames: Extension | undefined;
}

/**
 * Issues a certificate from now on: positive random serial, extensions in the provider's order.
 *
 * @returns id (the serial number in decimal) and the outputs common to all certificates
 */
export async function issueCertificate(
    inputs: Properties,
    parts: CertificateRequestParts,
): Promise<Created> {
    const validity = validityFromNow(inputs);
    const serialNumber = positiveSerial();
    const certificate = await X509CertificateGenerator.create({
        serialNumber,
        subject: parts.subject,
        issuer: parts.issuer,
        notBefore: validity.start,
        notAfter: validity.end,
        publicKey: parts.publicKey,
        signingKey: parts.signer.keys.privateKey,
        signingAlgorithm: parts.signer.signing,
        extensions: await extensions(inputs, parts),
    });
    return {
        id: BigInt(`0x${serialNumber}`).toString(),
        properties: {
            ...inputs,
            earlyRenewalHours: optionalNumber(inputs, "earlyRenewalHours") ?? 0,
            isCaCertificate: flag(inputs, "isCaCertificate"),
            maxPathLength: optionalNumber(inputs, "maxPathLength") ?? -1,
            setSubjectKeyId: flag(inputs, "setSubjectKeyId"),
            certPem: `${certificate.toString("pem").trimEnd()}\n`,
            readyForRenewal: false,
            validityStartTime: rfc3339(validity.start),
            validityEndTime: rfc3339(validity.end),
        },
    };
}

/** 127 random bits as hex: first bit clear (positive), second set (no leading zeros). */
function positiveSerial(): string {
    const bytes = randomBytes(16);
    bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
    return bytes.toString("hex");
}

async function extensions(
    inputs: Properties,
    parts: CertificateRequestParts,
): Promise<Extension[]> {
    const isCa = flag(inputs, "isCaCertificate");
    const { keyUsage, extended } = usages(stringList(inputs, "allowedUses"));
    const subjectKeyId =
        isCa || flag(inputs, "setSubjectKeyId")
            ? await SubjectKeyIdentifierExtension.create(parts.publicKey)
            : undefined;
    return [
        keyUsage === 0 ? undefined : new KeyUsagesExtension(keyUsage, true),
        extended.length === 0 ? undefined : new ExtendedKeyUsageExtension(extended),
        new BasicConstraintsExtension(isCa, pathLength(inputs, isCa), true),
        subjectKeyId,
        parts.authorityKeyId === undefined
            ? undefined
            : new AuthorityKeyIdentifierExtension(parts.authorityKeyId),
        parts.alternativeNames,
    ].filter((extension) => extension !== undefined);
}

function usages(names: readonly string[]): { keyUsage: number; extended: string[] } {
    return {
        keyUsage: names.reduce((bits, name) => bits | (KEY_USAGES[name] ?? 0), 0),
        extended: names
            .map((name) => EXTENDED_KEY_USAGES[name])
            .filter((identifier) => identifier !== undefined),
    };
}

function pathLength(inputs: Properties, isCa: boolean): number | undefined {
    const length = optionalNumber(inputs, "maxPathLength") ?? -1;
    return isCa && length >= 0 ? length : undefined;
}
