import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { bootstrapOperations, type Call, makeClient } from "excloud-k8s/api";

import { engineEnvironment } from "../engine";
import { REPOSITORY } from "../engine/repository";
import { Stack } from "../engine/stack";
import { type Folder, stackName } from "./folder";
import { type Ports, type Programs, type Services, startServices } from "./services";

/** A local Excloud, a bootstrap server, and the quickstart's stack on them. */
export interface Playground {
    readonly folder: Folder;
    readonly services: Services;
    readonly stack: Stack;
    readonly bootstrap: Call<typeof bootstrapOperations>;
}

/** How a new playground is made. */
export interface PlaygroundOptions {
    readonly ports: Ports;
    /** Folder of artifacts; makes the nodes of a new playground real. */
    readonly artifacts?: string;
    /** The services' programs; by default those of this repository. */
    readonly programs?: Partial<Programs>;
    /** Arguments of the cluster in a new playground, over the usual ones. */
    readonly arguments?: Readonly<Record<string, unknown>>;
}

/** Arguments of the cluster in a new playground: the last three are those of the local cloud. */
const firstArguments = {
    controlPlaneCount: 3,
    controlPlaneInstanceType: "t1a.medium",
    controlPlaneImageId: 1,
    subnetId: 1,
    allocatePublicIpv4: false,
} as const;

/** A project of its own around the quickstart's program, so that nothing is written into the example. */
const projectText = [
    "name: quickstart",
    "runtime: nodejs",
    `main: ${join(REPOSITORY, "examples/quickstart")}`,
    "",
].join("\n");

/** Opens the playground of a folder: makes what is missing, starts what does not run. */
export async function openPlayground(
    folder: Folder,
    options: PlaygroundOptions,
): Promise<Playground> {
    mkdirSync(folder.root, { recursive: true, mode: 0o700 });
    if (!existsSync(folder.passphraseFile)) {
        writeFileSync(folder.passphraseFile, randomBytes(24).toString("hex"), { mode: 0o600 });
    }
    if (options.artifacts !== undefined && !existsSync(folder.configFile)) {
        writeFileSync(folder.artifactsFile, options.artifacts);
    }
    const services = await startServices(
        folder,
        options.ports,
        artifactsOf(folder),
        options.programs,
    );
    writeFileSync(folder.projectFile, projectText);
    const { pulumi, env } = await engineEnvironment({
        home: folder.home,
        backend: pathToFileURL(folder.state).href,
        passphrase: readFileSync(folder.passphraseFile, "utf8"),
    });
    const stack = new Stack({
        pulumi,
        env: { ...env, ...services.environment },
        project: folder.root,
        name: stackName,
    });
    const isNew = !existsSync(folder.configFile);
    await stack.ensure();
    if (isNew) {
        await stack.setObject("cluster", {
            ...firstArguments,
            ...(services.real === undefined
                ? {}
                : { mirrors: services.real.mirrors, ...services.real.clusterArguments }),
            ...options.arguments,
            bootstrap: { operatorUrl: services.bootstrapUrl, caPem: services.bootstrapCaPem },
        });
    }
    const bootstrap = makeClient(bootstrapOperations, {
        baseUrls: { bootstrap: services.bootstrapUrl },
        token: () => services.environment["EXCLOUD_BOOTSTRAP_TOKEN"] ?? "",
        credentialName: "set EXCLOUD_BOOTSTRAP_TOKEN",
        caPem: services.bootstrapCaPem,
    });
    return { folder, services, stack, bootstrap };
}

/** The folder of artifacts that the playground's nodes are made from; undefined when they are simulated. */
export function artifactsOf({ artifactsFile }: Folder): string | undefined {
    return existsSync(artifactsFile) ? readFileSync(artifactsFile, "utf8") : undefined;
}

/**
 * Changes arguments of the cluster, each given as `key=value`, for example
 * `apiServerExtraArgs.goaway-chance=0.001`; `key=` removes one.
 *
 * @throws Error when one is not of this form
 */
export async function setArguments(stack: Stack, settings: readonly string[]): Promise<void> {
    for (const setting of settings) {
        const [, key, value] = /^([A-Za-z][\w.[\]-]*)=(.*)$/s.exec(setting) ?? [];
        if (key === undefined || value === undefined) {
            throw new Error(
                `--set ${setting}: give key=value, for example --set rootVolumeSizeGib=30`,
            );
        }
        await (value === "" ? stack.unset(pathOf(key)) : stack.set(pathOf(key), typed(key, value)));
    }
}

/** A flag's name may hold dashes, which a path quotes. */
function pathOf(key: string): string {
    const [head = "", ...rest] = key.split(".");
    return [`cluster.${head}`, ...rest.map((part) => `["${part}"]`)].join("");
}

/** Flags are texts whatever they look like; other values are what they look like. */
function typed(key: string, value: string): string | number | boolean {
    if (/ExtraArgs\./.test(key)) {
        return value;
    }
    if (value === "true" || value === "false") {
        return value === "true";
    }
    return /^\d+$/.test(value) ? Number(value) : value;
}

/** The stack's outputs, secrets included. */
export async function outputsOf(stack: Stack): Promise<Record<string, unknown>> {
    const { stdout } = await stack.capture(["stack", "output", "--json", "--show-secrets"]);
    return JSON.parse(stdout || "{}") as Record<string, unknown>;
}

/** Writes a file that only its owner may read. */
export function writePrivate(file: string, text: string): void {
    writeFileSync(file, text, { mode: 0o600 });
    chmodSync(file, 0o600);
}
