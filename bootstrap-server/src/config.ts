import { isAbsolute, resolve } from "node:path";
import { isAddress } from "./addresses";
import { StartupError } from "./errors";
import type { FirstContactLimits } from "./limits";
import { keyBytes } from "./store/keyring";

/** How a node's identity is proven: see `verify/`. */
export const modes = ["selfHosted", "excloud"] as const;
/** Verifier mode. */
export type Mode = (typeof modes)[number];

/** Levels of the log. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
/** Level of the log. */
export type LogLevel = (typeof logLevels)[number];

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
    /** Token of the operator's routes; without it one is made and kept in `dataDir`. */
    operatorToken?: string;
    /** Default `selfHosted`. */
    mode?: Mode;
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

/** Command-line options of `serve`. */
export interface ServeFlags {
    listen: string;
    dataDir: string;
    host: readonly string[];
}

/** Reads `host:port`, `[v6]:port`; undefined when it is neither. */
function readListen(text: string): { host: string; port: number } | undefined {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text);
    const host = match?.[1] ?? match?.[2];
    const port = Number(match?.[3]);
    return host && port <= 65535 ? { host, port } : undefined;
}

function isUrl(text: string, protocols: readonly string[]): boolean {
    return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}

function list(text: string | undefined): string[] {
    return (text ?? "")
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== "");
}

function isRange(text: string): boolean {
    const [address = "", prefix] = text.split("/");
    return isAddress(address) && (prefix === undefined || /^[0-9]{1,3}$/.test(prefix));
}

function isHost(text: string): boolean {
    return isAddress(text) || /^[A-Za-z0-9*]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text);
}

const environmentNames = {
    apiKey: "EXCLOUD_API_KEY",
    orgId: "EXCLOUD_ORG_ID",
    iam: "EXCLOUD_IAM_BASE_URL",
    compute: "EXCLOUD_COMPUTE_BASE_URL",
    database: "DATABASE_URL",
    token: "EXCLOUD_BOOTSTRAP_TOKEN",
    mode: "EXCLOUD_BOOTSTRAP_MODE",
    hosts: "EXCLOUD_BOOTSTRAP_HOSTS",
    proxies: "EXCLOUD_BOOTSTRAP_TRUSTED_PROXIES",
    keys: "EXCLOUD_BOOTSTRAP_ENCRYPTION_KEYS",
    logLevel: "EXCLOUD_BOOTSTRAP_LOG_LEVEL",
} as const;

/** Shortest operator token: 32 random bytes have 43 characters, a weak one is refused. */
const tokenLength = 32;

/**
 * Reads the configuration from flags and environment.
 * Throws StartupError that names every bad value at once; secret values are never quoted.
 */
export function readConfig(flags: ServeFlags, env: NodeJS.ProcessEnv): BootstrapServerOptions {
    const problems: string[] = [];
    const expect = (valid: boolean, what: string): void => {
        if (!valid) problems.push(what);
    };
    // An empty variable counts as not set, as shells and compose files leave them.
    const value = (name: keyof typeof environmentNames) => env[environmentNames[name]] || undefined;
    const names = environmentNames;

    const listen = readListen(flags.listen);
    expect(
        listen !== undefined,
        `--listen is "${flags.listen}": use HOST:PORT, for example 127.0.0.1:8443`,
    );

    const mode = (value("mode") ?? "selfHosted") as Mode;
    expect(modes.includes(mode), `${names.mode} is "${mode}": allowed are ${modes.join(", ")}`);

    const apiKey = value("apiKey") ?? "";
    expect(apiKey !== "", `${names.apiKey} is not set: the server asks Excloud with it`);

    const orgText = value("orgId");
    expect(
        orgText === undefined || /^[1-9][0-9]{0,14}$/.test(orgText),
        `${names.orgId} is "${orgText}": use the organisation's number`,
    );

    const iamBaseUrl = value("iam") ?? "https://iam.excloud.in";
    const computeBaseUrl = value("compute") ?? "https://compute.excloud.in";
    const web = ["http:", "https:"];
    expect(isUrl(iamBaseUrl, web), `${names.iam} is "${iamBaseUrl}": use an http(s) URL`);
    expect(
        isUrl(computeBaseUrl, web),
        `${names.compute} is "${computeBaseUrl}": use an http(s) URL`,
    );

    const databaseUrl = value("database");
    expect(
        databaseUrl === undefined || isUrl(databaseUrl, ["postgres:", "postgresql:"]),
        `${names.database} is no postgres:// URL (its value is not shown: it may hold a password)`,
    );
    expect(
        mode !== "excloud" || databaseUrl !== undefined,
        `${names.mode} is "excloud", which needs ${names.database} of Excloud's shared database`,
    );

    const operatorToken = value("token");
    expect(
        operatorToken === undefined || /^[\x21-\x7e]+$/.test(operatorToken),
        `${names.token} holds characters that an HTTP header cannot carry`,
    );
    expect(
        operatorToken === undefined || operatorToken.length >= tokenLength,
        `${names.token} is shorter than ${tokenLength} characters: use 32 random bytes`,
    );

    const extraHosts = [...list(value("hosts")), ...flags.host];
    for (const host of extraHosts) {
        expect(isHost(host), `${names.hosts} or --host holds "${host}": use names and addresses`);
    }
    const trustedProxies = list(value("proxies"));
    for (const proxy of trustedProxies) {
        expect(isRange(proxy), `${names.proxies} holds "${proxy}": use addresses and CIDR ranges`);
    }

    const keys = list(value("keys")).map((text) => Buffer.from(text, "base64"));
    expect(
        keys.every((key) => key.length === keyBytes),
        `${names.keys} holds a key that is not ${keyBytes} bytes of base64`,
    );

    const logLevel = (value("logLevel") ?? "info") as LogLevel;
    expect(
        logLevels.includes(logLevel),
        `${names.logLevel} is "${logLevel}": allowed are ${logLevels.join(", ")}`,
    );

    if (problems.length > 0 || !listen) {
        throw new StartupError(
            ["the configuration has problems:", ...problems.map((one) => `  - ${one}`)].join("\n"),
        );
    }
    const [firstKey, ...otherKeys] = keys;
    return {
        listen,
        dataDir: isAbsolute(flags.dataDir) ? flags.dataDir : resolve(flags.dataDir),
        excloud: {
            iamBaseUrl,
            computeBaseUrl,
            apiKey,
            ...(orgText ? { orgId: Number(orgText) } : {}),
        },
        mode,
        extraHosts,
        trustedProxies,
        logLevel,
        ...(databaseUrl ? { databaseUrl } : {}),
        ...(operatorToken ? { operatorToken } : {}),
        ...(firstKey ? { encryptionKeys: [firstKey, ...otherKeys] as const } : {}),
    };
}
