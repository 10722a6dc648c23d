import { resolve } from "node:path";

import { isLoopback } from "./addresses";
import { StartupError } from "./errors";
import type { BootstrapServerOptions, OperatorAuth } from "./options";
import { readConfigFile, readSettings } from "./setting-sources";
import { type SettingKey, settings, type SettingValues } from "./settings";

/** Command-line options of `serve`. */
export interface ServeFlags {
    config?: string;
    listen?: string;
    dataDir?: string;
    host?: readonly string[];
}

/** What contradicts itself: the setting it is about, whether it holds, what to say when not. */
type Rule = readonly [SettingKey, boolean, string];

/** What must hold between settings; what is bad by itself is undefined here. */
function rulesOf(values: Partial<SettingValues>): Rule[] {
    const { mode, databaseUrl, operatorAuth, operatorToken, listen } = values;
    const nameOf = (key: SettingKey) => settings[key].environment;
    const jwtKeys = ["jwtIssuer", "jwtAudience", "jwtJwksUrl", "jwtSubjects"] as const;
    return [
        [
            "apiKey",
            values.apiKey !== undefined,
            `${nameOf("apiKey")} is not set: the server asks Excloud with it`,
        ],
        [
            "databaseUrl",
            mode !== "excloud" || databaseUrl !== undefined,
            `${nameOf("mode")} is "excloud", which needs ${nameOf("databaseUrl")} of Excloud's shared database`,
        ],
        ...jwtKeys.map((key): Rule => [
            key,
            operatorAuth !== "jwt" || (values[key]?.length ?? 0) > 0,
            `${nameOf("operatorAuth")} is "jwt", which needs ${nameOf(key)}`,
        ]),
        [
            "operatorToken",
            operatorAuth !== "jwt" || operatorToken === undefined,
            `${nameOf("operatorAuth")} is "jwt", which takes no ${nameOf("operatorToken")}: leave one of them out`,
        ],
        [
            "operatorToken",
            operatorAuth !== "static" || operatorToken !== undefined,
            `${nameOf("operatorAuth")} is "static", which needs ${nameOf("operatorToken")}`,
        ],
        [
            "listen",
            operatorAuth !== "static" || !listen || isLoopback(listen.host),
            `${nameOf("operatorAuth")} is "static", which is for development on 127.0.0.1: listen there, or use "tokens", which can be revoked`,
        ],
    ];
}

function operatorAuthOf(values: SettingValues): OperatorAuth {
    const { operatorAuth: mode, operatorToken: token = "" } = values;
    switch (mode) {
        case "tokens":
            return { mode };
        case "static":
            return { mode, token };
        case "jwt": {
            const { jwtIssuer = "", jwtAudience = "", jwtJwksUrl = "", jwtSubjects = [] } = values;
            return {
                mode,
                issuer: jwtIssuer,
                audience: jwtAudience,
                jwksUrl: jwtJwksUrl,
                subjects: jwtSubjects,
            };
        }
    }
}

/**
 * Reads the configuration from flags, environment and the file of `--config`, in that order.
 * Throws StartupError that names every bad value and unknown key at once; secrets are never quoted.
 */
export function readConfig(flags: ServeFlags, env: NodeJS.ProcessEnv): BootstrapServerOptions {
    const problems: string[] = [];
    const bad = new Set<SettingKey>();
    const complain = (problem: string, key?: SettingKey): void => {
        problems.push(problem);
        if (key) {
            bad.add(key);
        }
    };
    const fileName = flags.config ?? "";
    const values = readSettings(
        {
            flags: {
                "--listen": flags.listen,
                "--data-dir": flags.dataDir,
                "--host": flags.host,
            },
            env,
            file: fileName === "" ? {} : readConfigFile(fileName, complain),
            fileName,
        },
        complain,
    );
    // What is bad in itself is said already.
    const rules = rulesOf(values).filter(([key, holds]) => !holds && !bad.has(key));
    problems.push(...rules.map(([, , problem]) => problem));
    if (problems.length > 0) {
        throw new StartupError(
            ["the configuration has problems:", ...problems.map((one) => `  - ${one}`)].join("\n"),
        );
    }
    const { orgId, databaseUrl, operatorToken, encryptionKeys = [] } = values;
    const operatorAuth = operatorAuthOf(values);
    const [firstKey, ...otherKeys] = encryptionKeys;
    return {
        listen: values.listen,
        dataDir: resolve(values.dataDir),
        excloud: {
            iamBaseUrl: values.iamBaseUrl,
            computeBaseUrl: values.computeBaseUrl,
            apiKey: values.apiKey ?? "",
            ...(orgId === undefined ? {} : { orgId }),
        },
        mode: values.mode,
        operatorAuth,
        extraHosts: values.hosts ?? [],
        trustedProxies: values.trustedProxies ?? [],
        logLevel: values.logLevel,
        ...(databaseUrl === undefined ? {} : { databaseUrl }),
        ...(operatorAuth.mode === "tokens" && operatorToken !== undefined ? { operatorToken } : {}),
        ...(firstKey ? { encryptionKeys: [firstKey, ...otherKeys] as const } : {}),
    };
}
