import type { VerifierMode } from "#contract/verifier";

/** What the bootstrap script in a VM's user data is set to. */
export interface BootstrapSettings {
    /** URL of the bootstrap server, without a slash at its end. */
    readonly baseUrl: string;
    readonly role: string;
    readonly verifierMode: VerifierMode;
    readonly slotSecret: string;
    /** The CA that the server's certificate must come from; empty for the public PKI. */
    readonly caPem: string;
}

/**
 * Reads the settings of a bootstrap script: shell assignments in single quotes that start a line.
 *
 * @returns undefined when the user data is no bootstrap script
 */
export function parseUserData(text: string | null): BootstrapSettings | undefined {
    const variables = assignments(text ?? "");
    const baseUrl = variables.get("BOOTSTRAP_BASE_URL");
    const role = variables.get("NODE_ROLE");
    if (baseUrl === undefined || role === undefined) {
        return undefined;
    }
    return {
        baseUrl: baseUrl.replace(/\/+$/, ""),
        role,
        verifierMode: variables.get("VERIFIER_MODE") === "excloud" ? "excloud" : "selfHosted",
        slotSecret: variables.get("SLOT_SECRET") ?? "",
        caPem: variables.get("BOOTSTRAP_CA_PEM") ?? "",
    };
}

/** `NAME='value'` at the start of a line; the value may span lines and hold `'\''` for a quote. */
function assignments(text: string): Map<string, string> {
    const found = new Map<string, string>();
    for (const [, name, value] of text.matchAll(/^([A-Z_]+)='((?:[^']|'\\'')*)'/gm)) {
        if (name !== undefined && value !== undefined) {
            found.set(name, value.replaceAll("'\\''", "'"));
        }
    }
    return found;
}
