import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

import { parse } from "yaml";

import type { Patience } from "../../provider/api/retry";
import type { Principal } from "../../provider/api/schemas";
import { type BootstrapServer, type Context, makeContext } from "../../provider/context";
import { type ConfigReader, find } from "../../provider/credentials";
import { stackNameOf } from "../condition";
import { type Cluster, clustersIn, type Exported, exportedOf } from "../exported";
import { CommandError, type Pulumi } from "../pulumi";
import { configOf } from "../settings";
import { get } from "./get";
import { needed } from "./needed";

/** What checks look at. Each is looked up once, at first use. */
export interface Facts {
    readonly pulumi: Pulumi;
    readonly pulumiVersion: () => Promise<string>;
    /** Folder of the user's program. */
    readonly program: () => Promise<string>;
    readonly stackName: () => Promise<string>;
    readonly exported: () => Promise<Exported>;
    readonly clusters: () => Promise<readonly Cluster[]>;
    readonly config: () => Promise<ConfigReader>;
    /** The configuration as far as it can be read: the environment goes before it anyway. */
    readonly readable: () => Promise<ConfigReader>;
    readonly context: () => Promise<Context>;
    /** Whom Excloud's credential stands for. */
    readonly principal: () => Promise<Principal>;
    /** The bootstrap servers of the stack's clusters, or the one that the environment names. */
    readonly servers: () => Promise<readonly BootstrapServer[]>;
    /** What a bootstrap server says of itself, as a status. */
    readonly health: (server: BootstrapServer) => Promise<number>;
    readonly now: Date;
}

/** A user waits: what does not answer is soon said to be silent. */
const patience: Patience = {
    maxRetries: 1,
    firstPauseMs: 500,
    longestPauseMs: 500,
    longestRetryAfter: 2_000,
    silence: 10_000,
    wholeCall: 15_000,
};

/** @param folder where the command was started, or what `--cwd` names */
export function factsOf(pulumi: Pulumi, folder: string): Facts {
    const exported = once(() => exportedOf(pulumi));
    const clusters = once(async () => clustersIn(await exported()));
    const config = once(() => configOf(pulumi));
    const readable = once(() => config().catch((): ConfigReader => () => undefined));
    const context = once(async () => makeContext(await readable(), patience));
    const healths = new Map<string, Promise<number>>();
    return {
        pulumi,
        pulumiVersion: once(async () => (await pulumi.read(["version"])).trim()),
        // eslint-disable-next-line @typescript-eslint/require-await -- so that what it throws is a finding
        program: once(async () => programFolder(folder)),
        stackName: once(() => stackNameOf(pulumi)),
        exported,
        clusters,
        config,
        readable,
        context,
        principal: once(async () => (await context()).excloud()("me")),
        servers: once(async () =>
            serversOf(await needed(clusters(), "the stack"), await readable()),
        ),
        health: ({ operatorUrl: url }) => {
            const health = healths.get(url) ?? get(`${url}/health`).then(({ status }) => status);
            healths.set(url, health);
            return health;
        },
        now: new Date(),
    };
}

function once<T>(look: () => Promise<T>): () => Promise<T> {
    let found: Promise<T> | undefined;
    return () => (found ??= look());
}

function serversOf(clusters: readonly Cluster[], config: ConfigReader): BootstrapServer[] {
    const url = find("bootstrapUrl", config);
    const known = clusters.map(({ bootstrap }) => ({
        ...bootstrap,
        ...(url === undefined ? {} : { operatorUrl: url }),
    }));
    const distinct = new Map(known.map((server) => [JSON.stringify(server), server]));
    const named = url === undefined ? [] : [{ operatorUrl: url }];
    return distinct.size > 0 ? [...distinct.values()] : named;
}

/** The folder of the program: that of `Pulumi.yaml`, which may name another one. */
function programFolder(folder: string): string {
    const project = join(folder, "Pulumi.yaml");
    if (existsSync(project)) {
        const settings = parse(readFileSync(project, "utf8")) as { main?: string } | null;
        return resolve(folder, settings?.main ?? ".");
    }
    if (dirname(folder) !== folder) {
        return programFolder(dirname(folder));
    }
    throw new CommandError(
        "there is no Pulumi.yaml here or in a folder above. Next: run this command in the folder of the " +
            "Pulumi project, or name that folder by --cwd",
    );
}

/** A file as a package or program in `folder` finds it. @throws Error when it finds none */
export function resolveFrom(folder: string, name: string): string {
    return createRequire(join(folder, "package.json")).resolve(name);
}

/** What a `package.json` says. */
export interface Manifest {
    readonly version: string;
    readonly engines: { readonly node: string };
    readonly peerDependencies: Readonly<Record<"@pulumi/pulumi", string>>;
}

export function manifestIn(file: string): Manifest {
    return JSON.parse(readFileSync(file, "utf8")) as Manifest;
}

/** What this package says of itself. */
export const ours = manifestIn(require.resolve("excloud-k8s/package.json"));
