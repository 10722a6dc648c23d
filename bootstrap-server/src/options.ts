import type { VerifierMode } from "#contract/verifier";

import type { FirstContactLimits } from "./limits";
import type { JwtOptions } from "./verify/operator-jwt";

/** Levels of the log. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
/** Level of the log. */
export type LogLevel = (typeof logLevels)[number];

/** How operators prove who they are, with what that needs. */
export type OperatorAuth =
    { mode: "tokens" } | ({ mode: "jwt" } & JwtOptions) | { mode: "static"; token: string };

/** Options of `startBootstrapServer`. */
export interface BootstrapServerOptions {
    /** Where to listen. Port 0 takes a free one. Default 127.0.0.1:8443. */
    listen?: { host: string; port: number };
    /** Folder of TLS files, keys, tokens, and of the embedded database. Made when missing. */
    dataDir: string;
    /** PostgreSQL to use; without it PGlite is embedded, persisted in `dataDir`. */
    databaseUrl?: string;
    /** Excloud's services and the server's own credential there. */
    excloud: {
        iamBaseUrl: string;
        computeBaseUrl: string;
        apiKey: string;
        /** Organisation to serve; without it IAM is asked once whose the credential is. */
        orgId?: number;
    };
    /** How operators prove who they are. Default: by the tokens of the database. */
    operatorAuth?: OperatorAuth;
    /** A first token of mode `tokens`; without it one is made and kept in `dataDir`. */
    operatorToken?: string;
    /** Default `selfHosted`. */
    mode?: VerifierMode;
    /** Host names and addresses of the server certificate beside localhost, 127.0.0.1 and ::1. */
    extraHosts?: readonly string[];
    /** Addresses and CIDR ranges whose X-Forwarded-For is believed. Default none. */
    trustedProxies?: readonly string[];
    /**
     * Keys (32 bytes) that seal file contents; the first seals, all open. Replicas must share them.
     * Without it one is made and kept in `dataDir`.
     */
    encryptionKeys?: readonly [Buffer, ...Buffer[]];
    /** How many first contacts are looked at; for load tests. */
    firstContactLimits?: FirstContactLimits;
    /** Default `info`. */
    logLevel?: LogLevel;
}
