import type { LocalCloud } from "excloud-local";

/** The stack's configuration that makes a provider use a local cloud. */
export const configOf = (cloud: LocalCloud): Record<string, string> => ({
    "excloud:apiKey": cloud.apiKey,
    "excloud:computeBaseUrl": cloud.computeUrl,
    "excloud:dnsBaseUrl": cloud.dnsUrl,
    "excloud:iamBaseUrl": cloud.iamUrl,
});
