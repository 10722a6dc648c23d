import { verifierModes } from "#contract/verifier";

import { isAddress, isLoopback } from "./addresses";
import { logLevels } from "./options";
import { keyBytes } from "./store/keyring";
import { operatorModes } from "./verify/operator";

/** One thing that can be configured, in whichever way. */
export interface Setting<T = unknown> {
    /** Its name in the environment; its name in the configuration file is its key in the table. */
    environment: string;
    /** The option of `serve` that gives it too. */
    flag?: string;
    /** Never shown, and may lie in a file that `<key>File` or `<environment>_FILE` names. */
    secret?: true;
    /** Several values: a list in the file, separated by commas elsewhere. */
    list?: true;
    /** The value when nothing gives one. */
    fallback?: string;
    /** What holds without a value, in words. */
    otherwise?: string;
    meaning: string;
    /** What a value has to be: the end of the sentence that refuses another one. */
    expected: string;
    /** The value of a text; undefined when it is none. */
    read(text: string): T | undefined;
}

const text = (value: string): string | undefined => (value === "" ? undefined : value);

const matching =
    (pattern: RegExp) =>
    (value: string): string | undefined =>
        pattern.test(value) ? value : undefined;

const oneOf = <const V extends string>(values: readonly V[]) => ({
    expected: `allowed are ${values.join(", ")}`,
    read: (value: string): V | undefined => values.find((one) => one === value),
});

const urlOf = (...protocols: string[]) => ({
    expected: `use an ${protocols.join(" or ")} URL`,
    read: (value: string): string | undefined =>
        URL.canParse(value) && protocols.includes(new URL(value).protocol.replace(":", ""))
            ? value
            : undefined,
});

/** Reads `host:port`, `[v6]:port`. */
function readListen(value: string): { host: string; port: number } | undefined {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(value);
    const host = match?.[1] ?? match?.[2];
    const port = Number(match?.[3]);
    return host && port <= 65535 ? { host, port } : undefined;
}

function readRange(value: string): string | undefined {
    const [, address = "", prefix = "0"] = /^([^/]+)(?:\/([0-9]{1,3}))?$/.exec(value) ?? [];
    const bits = address.includes(":") ? 128 : 32;
    return isAddress(address) && Number(prefix) <= bits ? value : undefined;
}

const hostName = /^[A-Za-z0-9*]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

function readKey(value: string): Buffer | undefined {
    const key = Buffer.from(value, "base64");
    return key.length === keyBytes ? key : undefined;
}

/** Keys are read over TLS; a provider on this machine is as safe. */
function readJwksUrl(value: string): string | undefined {
    if (!URL.canParse(value)) {
        return undefined;
    }
    const { protocol, hostname } = new URL(value);
    return protocol === "https:" || (protocol === "http:" && isLoopback(hostname))
        ? value
        : undefined;
}

/** Shortest operator token: 32 random bytes have 43 characters, a weak one is refused. */
const tokenLength = 32;

const setting = <T, S extends Setting<T> & { read(value: string): T | undefined }>(one: S): S =>
    one;

/** Everything that can be configured, by its name in the configuration file. */
export const settings = {
    listen: setting({
        environment: "EXCLOUD_BOOTSTRAP_LISTEN",
        flag: "--listen",
        fallback: "127.0.0.1:8443",
        meaning: "where to listen; port 0 takes a free one",
        expected: "use HOST:PORT, for example 127.0.0.1:8443",
        read: readListen,
    }),
    dataDir: setting({
        environment: "EXCLOUD_BOOTSTRAP_DATA_DIR",
        flag: "--data-dir",
        fallback: "./bootstrap-data",
        meaning: "TLS files, keys, first operator token, embedded database; made when missing",
        expected: "name a folder",
        read: text,
    }),
    hosts: setting({
        environment: "EXCLOUD_BOOTSTRAP_HOSTS",
        flag: "--host",
        list: true,
        otherwise: "none",
        meaning: "names and addresses of the certificate beside localhost, 127.0.0.1 and ::1",
        expected: "use names and addresses",
        read: (value: string) => (isAddress(value) ? value : matching(hostName)(value)),
    }),
    apiKey: setting({
        environment: "EXCLOUD_API_KEY",
        secret: true,
        otherwise: "required",
        meaning: "the server's own credential at Excloud",
        expected: "use the key as Excloud gave it",
        read: matching(/^[\x21-\x7e]+$/),
    }),
    orgId: setting({
        environment: "EXCLOUD_ORG_ID",
        otherwise: "IAM is asked once at start",
        meaning: "the organisation it serves",
        expected: "use the organisation's number",
        read: (value: string) => (/^[1-9][0-9]{0,14}$/.test(value) ? Number(value) : undefined),
    }),
    iamBaseUrl: setting({
        environment: "EXCLOUD_IAM_BASE_URL",
        fallback: "https://iam.excloud.in",
        meaning: "Excloud's IAM",
        ...urlOf("http", "https"),
    }),
    computeBaseUrl: setting({
        environment: "EXCLOUD_COMPUTE_BASE_URL",
        fallback: "https://compute.excloud.in",
        meaning: "Excloud's compute API",
        ...urlOf("http", "https"),
    }),
    databaseUrl: setting({
        environment: "DATABASE_URL",
        secret: true,
        otherwise: "embedded database",
        meaning: "`postgres://` URL of PostgreSQL",
        ...urlOf("postgres", "postgresql"),
    }),
    encryptionKeys: setting({
        environment: "EXCLOUD_BOOTSTRAP_ENCRYPTION_KEYS",
        secret: true,
        list: true,
        otherwise: "made in the data folder",
        meaning: "keys that seal contents: 32 bytes of base64 each; the first seals, all open",
        expected: `use ${keyBytes} bytes of base64 for each`,
        read: readKey,
    }),
    mode: setting({
        environment: "EXCLOUD_BOOTSTRAP_MODE",
        fallback: "selfHosted",
        meaning:
            "how a node's identity is proven: `selfHosted`, or `excloud` on Excloud's own shared database",
        ...oneOf(verifierModes),
    }),
    trustedProxies: setting({
        environment: "EXCLOUD_BOOTSTRAP_TRUSTED_PROXIES",
        list: true,
        otherwise: "none",
        meaning: "addresses and CIDR ranges whose `X-Forwarded-For` is believed",
        expected: "use addresses and CIDR ranges",
        read: readRange,
    }),
    operatorAuth: setting({
        environment: "EXCLOUD_BOOTSTRAP_OPERATOR_AUTH",
        fallback: "tokens",
        meaning:
            "how operators prove who they are: `tokens` of the database, `jwt` of an identity provider, `static` (one token, loopback only)",
        ...oneOf(operatorModes),
    }),
    operatorToken: setting({
        environment: "EXCLOUD_BOOTSTRAP_TOKEN",
        secret: true,
        otherwise: "a first one is made in the data folder",
        meaning: "a token of operators, at least 32 characters",
        expected: `use at least ${tokenLength} characters that an HTTP header can carry`,
        read: matching(new RegExp(`^[\\x21-\\x7e]{${tokenLength},}$`)),
    }),
    jwtIssuer: setting({
        environment: "EXCLOUD_BOOTSTRAP_JWT_ISSUER",
        otherwise: "required by `jwt`",
        meaning: "the claim `iss`",
        expected: "use the issuer as its tokens name it",
        read: text,
    }),
    jwtAudience: setting({
        environment: "EXCLOUD_BOOTSTRAP_JWT_AUDIENCE",
        otherwise: "required by `jwt`",
        meaning: "the claim `aud`",
        expected: "use the audience as the tokens name it",
        read: text,
    }),
    jwtJwksUrl: setting({
        environment: "EXCLOUD_BOOTSTRAP_JWT_JWKS_URL",
        otherwise: "required by `jwt`",
        meaning: "where the issuer publishes its keys (RS256, ES256)",
        expected: "use an https URL",
        read: readJwksUrl,
    }),
    jwtSubjects: setting({
        environment: "EXCLOUD_BOOTSTRAP_JWT_SUBJECTS",
        list: true,
        otherwise: "required by `jwt`",
        meaning: "claims `sub` that are operators",
        expected: "use subjects as the tokens name them",
        read: text,
    }),
    logLevel: setting({
        environment: "EXCLOUD_BOOTSTRAP_LOG_LEVEL",
        fallback: "info",
        meaning: "`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`",
        ...oneOf(logLevels),
    }),
} as const;

/** Name of a setting in the configuration file. */
export type SettingKey = keyof typeof settings;

type One<K extends SettingKey> = NonNullable<ReturnType<(typeof settings)[K]["read"]>>;
/** The values of all settings; undefined where nothing gives one. */
export type SettingValues = {
    [K in SettingKey]: (typeof settings)[K] extends { list: true }
        ? One<K>[] | undefined
        : (typeof settings)[K] extends { fallback: string }
          ? One<K>
          : One<K> | undefined;
};
