/** Names of the plugin that this stands in for; the version is the one of `@pulumi/command`. */
export const COMMAND_PLUGIN = { name: "command", version: "1.2.1" } as const;

/** Inputs of `remote.Command`, by the provider's names. */
export const COMMAND_INPUTS = [
    "addPreviousOutputInEnv",
    "connection",
    "create",
    "delete",
    "environment",
    "logging",
    "stdin",
    "triggers",
    "update",
] as const;

/** Inputs of `remote.CopyToRemote`. */
export const COPY_INPUTS = ["connection", "remotePath", "source", "triggers"] as const;

/** Members of a connection. */
export const CONNECTION_INPUTS = [
    "agentSocketPath",
    "dialErrorLimit",
    "host",
    "hostKey",
    "password",
    "perDialTimeout",
    "port",
    "privateKey",
    "privateKeyPassword",
    "proxy",
    "user",
] as const;
