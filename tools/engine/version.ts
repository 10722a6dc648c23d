/** Version of the Pulumi CLI that is installed or built where none is; `tools/pulumi/go.mod` pins the same. */
export const ENGINE_VERSION = "3.259.0";

/** Oldest Pulumi CLI that is used as it is found, as the package's peer dependency asks. */
export const OLDEST_ENGINE = { major: 3, minor: 216 } as const;

/** Version of the tls plugin, which is the version of `@pulumi/tls`. */
export const TLS_PLUGIN_VERSION = "5.6.1";

/** Version of the command plugin, which is the version of `@pulumi/command`. */
export const COMMAND_PLUGIN_VERSION = "1.2.1";

/** True when a version as `pulumi version` prints it (`v3.259.0`) can be used. */
export function isSupportedEngine(printed: string): boolean {
    const [, major, minor] = /^v?(\d+)\.(\d+)\./.exec(printed.trim()) ?? [];
    return Number(major) === OLDEST_ENGINE.major && Number(minor) >= OLDEST_ENGINE.minor;
}
