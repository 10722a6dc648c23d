/** How a server proves which VM asks: by Excloud's own tables, or by the secret of the VM's slot. */
export const verifierModes = ["selfHosted", "excloud"] as const;
export type VerifierMode = (typeof verifierModes)[number];
