/** Names of the plugin that this stands in for; the version is the one of `@pulumi/tls`. */
export const TLS_PLUGIN = { name: "tls", version: "5.6.1" } as const;

/** Bits of the KeyUsage extension, by the provider's names (RFC 5280, 4.2.1.3). */
export const KEY_USAGES: Readonly<Record<string, number>> = {
    digital_signature: 1 << 0,
    content_commitment: 1 << 1,
    key_encipherment: 1 << 2,
    data_encipherment: 1 << 3,
    key_agreement: 1 << 4,
    cert_signing: 1 << 5,
    crl_signing: 1 << 6,
    encipher_only: 1 << 7,
    decipher_only: 1 << 8,
};

/** Object identifiers of extended usages, by the provider's names (RFC 5280, 4.2.1.12). */
export const EXTENDED_KEY_USAGES: Readonly<Record<string, string>> = {
    any_extended: "2.5.29.37.0",
    server_auth: "1.3.6.1.5.5.7.3.1",
    client_auth: "1.3.6.1.5.5.7.3.2",
    code_signing: "1.3.6.1.5.5.7.3.3",
    email_protection: "1.3.6.1.5.5.7.3.4",
    ipsec_end_system: "1.3.6.1.5.5.7.3.5",
    ipsec_tunnel: "1.3.6.1.5.5.7.3.6",
    ipsec_user: "1.3.6.1.5.5.7.3.7",
    timestamping: "1.3.6.1.5.5.7.3.8",
    ocsp_signing: "1.3.6.1.5.5.7.3.9",
    microsoft_server_gated_crypto: "1.3.6.1.4.1.311.10.3.3",
    netscape_server_gated_crypto: "2.16.840.1.113730.4.1",
    microsoft_commercial_code_signing: "1.3.6.1.4.1.311.2.1.22",
    microsoft_kernel_code_signing: "1.3.6.1.4.1.311.61.1.1",
};

/** Attributes of a subject in the order they are written, with the short names of RFC 4519. */
export const SUBJECT_ATTRIBUTES = {
    country: "C",
    organization: "O",
    organizationalUnit: "OU",
    locality: "L",
    province: "ST",
    streetAddresses: "2.5.4.9",
    postalCode: "2.5.4.17",
    commonName: "CN",
    serialNumber: "2.5.4.5",
    emailAddress: "E",
} as const;

/** Elliptic curves: the provider's name, node:crypto's name and SSH's name (none: not in SSH). */
export const CURVES: Readonly<Record<string, { node: string; ssh?: string }>> = {
    P224: { node: "secp224r1" },
    P256: { node: "prime256v1", ssh: "nistp256" },
    P384: { node: "secp384r1", ssh: "nistp384" },
    P521: { node: "secp521r1", ssh: "nistp521" },
};
