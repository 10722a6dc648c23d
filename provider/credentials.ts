import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Reads one key of the stack's configuration; undefined when it is not set. */
export type ConfigReader = (key: string) => string | undefined;

interface Setting {
    readonly what: string;
    readonly environment: readonly string[];
    readonly config: string;
    readonly fallback?: () => string | undefined;
}

/**
 * Where each setting comes from. The environment wins over the stack's configuration, as `pulumi
 * refresh` and `pulumi destroy` see the configuration of the last `pulumi up`.
 */
export const settings = {
    apiKey: {
        what: "Excloud API key",
        environment: ["EXCLOUD_API_KEY", "EXCLOUD_ACCESS_TOKEN"],
        config: "excloud:apiKey",
        fallback: () => tokenOfCliConfig(),
    },
    computeBaseUrl: {
        what: "base URL of computeapi",
        environment: ["EXCLOUD_COMPUTE_BASE_URL"],
        config: "excloud:computeBaseUrl",
        fallback: () => "https://compute.excloud.in",
    },
    dnsBaseUrl: {
        what: "base URL of the DNS API",
        environment: ["EXCLOUD_DNS_BASE_URL"],
        config: "excloud:dnsBaseUrl",
        fallback: () => "https://dns.excloud.in",
    },
    iamBaseUrl: {
        what: "base URL of the IAM API",
        environment: ["EXCLOUD_IAM_BASE_URL"],
        config: "excloud:iamBaseUrl",
        fallback: () => "https://iam.excloud.in",
    },
    bootstrapUrl: {
        what: "URL of the bootstrap server, in place of the one that a resource remembers",
        environment: ["EXCLOUD_BOOTSTRAP_URL"],
        config: "excloud-k8s:bootstrapUrl",
    },
    bootstrapToken: {
        what: "operator's token of the bootstrap server",
        environment: ["EXCLOUD_BOOTSTRAP_TOKEN"],
        config: "excloud-k8s:bootstrapToken",
    },
} as const satisfies Record<string, Setting>;

/** A setting is nowhere. */
export class MissingSettingError extends Error {}

/**
 * Looks a setting up: environment, stack configuration, then its fallback.
 *
 * @throws MissingSettingError that lists every place that was looked at, when the setting is nowhere
 */
export function lookUp(
    name: keyof typeof settings,
    config: ConfigReader,
    environment: NodeJS.ProcessEnv = process.env,
): string {
    const value = find(name, config, environment);
    if (!value) {
        throw new MissingSettingError(
            `no ${settings[name].what} was found. Next: ${howToSet(name)}`,
        );
    }
    return value;
}

/** As `lookUp`; undefined when the setting is nowhere. */
export function find(
    name: keyof typeof settings,
    config: ConfigReader,
    environment: NodeJS.ProcessEnv = process.env,
): string | undefined {
    const setting: Setting = settings[name];
    return (
        setting.environment.map((key) => environment[key]).find(Boolean) ??
        config(setting.config) ??
        setting.fallback?.()
    );
}

/** Says where a user can set a setting. */
export function howToSet(name: keyof typeof settings): string {
    const { environment, config } = settings[name];
    const cli = name === "apiKey" ? ", or log in with `exc login`" : "";
    return `set ${environment[0]}, or \`pulumi config set --secret ${config}\`${cli}`;
}

/**
 * The access token of the account and organisation chosen in `~/.exc/config`. The nesting of that file
 * is not published, so the account's and organisation's objects are looked for wherever they are.
 */
export function tokenOfCliConfig(home = homedir()): string | undefined {
    let config: Record<string, unknown>;
    try {
        config = JSON.parse(readFileSync(join(home, ".exc", "config"), "utf8")) as typeof config;
    } catch {
        return undefined;
    }
    const account = memberAnywhere(config, String(config["default_acc"]));
    const organisation = memberAnywhere(account, String(config["default_org"]));
    const token = (organisation as Record<string, unknown> | undefined)?.["access_token"];
    return typeof token === "string" ? token : undefined;
}

function memberAnywhere(tree: unknown, key: string): unknown {
    if (typeof tree !== "object" || tree === null) {
        return undefined;
    }
    const members = tree as Record<string, unknown>;
    if (typeof members[key] === "object") {
        return members[key];
    }
    for (const member of Object.values(members)) {
        const found = memberAnywhere(member, key);
        if (found !== undefined) {
            return found;
        }
    }
    return undefined;
}
