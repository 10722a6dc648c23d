import { readFileSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { isIP } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { type Call, makeClient, operations } from "excloud-k8s/api";
import { parse } from "yaml";

import { type EngineEnvironment } from "../../../tools/engine";
import { REPOSITORY } from "../../../tools/engine/repository";
import { Stack } from "../../../tools/engine/stack";
import { outputsOf } from "../../../tools/playground/playground";
import type { Services } from "../../../tools/playground/services";
import { inventoryOf } from "../../support/inventory";

/** What runs an example: an engine, a local cloud with a bootstrap server, a folder for its configuration. */
export interface Surroundings {
    readonly engine: EngineEnvironment;
    readonly services: Services;
    /** Folder of the local cloud. */
    readonly cloudFolder: string;
    /** Where the project's file is written; the program stays where it is. */
    readonly projectFolder: string;
}

/** The credentials within a kubeconfig, PEM. */
export interface Credentials {
    readonly server: URL;
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
}

interface Kubeconfig {
    readonly clusters: [{ cluster: { server: string; "certificate-authority-data": string } }];
    readonly users: [{ user: { "client-certificate-data": string; "client-key-data": string } }];
}

/** An example's stack while it lives. */
export class Live {
    readonly stack: Stack;
    /** The cloud's API. */
    readonly cloud: Call<typeof operations>;

    constructor(
        name: string,
        readonly around: Surroundings,
    ) {
        const { engine, services, projectFolder } = around;
        const folder = join(REPOSITORY, "examples", name);
        const project = readFileSync(join(folder, "Pulumi.yaml"), "utf8");
        writeFileSync(join(projectFolder, "Pulumi.yaml"), `${project}main: ${folder}\n`);
        this.stack = new Stack({
            pulumi: engine.pulumi,
            env: { ...engine.env, ...services.environment },
            project: projectFolder,
            name: "dev",
        });
        this.cloud = makeClient(operations, {
            baseUrls: {
                compute: services.computeUrl,
                dns: services.dnsUrl,
                iam: services.iamUrl,
            },
            token: () => services.environment["EXCLOUD_API_KEY"] ?? "",
            credentialName: "set EXCLOUD_API_KEY",
        });
    }

    /** Sets values of the configuration, those that every example has among them. */
    async configure(values: Readonly<Record<string, string | number | object>>): Promise<void> {
        const { bootstrapUrl, bootstrapCaPem } = this.around.services;
        const all = { imageId: 1, bootstrapUrl, bootstrapCa: bootstrapCaPem, ...values };
        for (const [key, value] of Object.entries(all)) {
            await (typeof value === "object"
                ? this.stack.setObject(key, value)
                : this.stack.set(key, value));
        }
    }

    /**
     * Runs a command of the engine.
     *
     * @returns what it printed
     * @throws Error unless it ends with the expected code
     */
    pulumi(args: readonly string[], expected?: number): Promise<string> {
        return this.stack.run(args, expected);
    }

    outputs(): Promise<Record<string, unknown>> {
        return outputsOf(this.stack);
    }

    inventory(): Promise<Record<string, unknown[]>> {
        return inventoryOf(this.around.services);
    }

    /** The text of a file on a simulated node. */
    fileOnNode(vmId: number, path: string): string {
        return readFileSync(join(this.around.cloudFolder, `nodes/${vmId}/root`, path), "utf8");
    }

    /**
     * What the API server of a kubeconfig answers to `/readyz`, over TLS that trusts the kubeconfig's
     * authority only and at the name that it says, which the cloud's DNS resolves.
     */
    async readyz(kubeconfig: unknown): Promise<string> {
        const { server, ca, cert, key } = credentialsOf(kubeconfig);
        const host = await this.resolve(server.hostname);
        const servername = isIP(server.hostname) ? {} : { servername: server.hostname };
        return new Promise((resolve, reject) => {
            get(
                { host, port: server.port, path: "/readyz", ca, cert, key, ...servername },
                (answer) => void text(answer).then(resolve, reject),
            ).once("error", reject);
        });
    }

    private async resolve(name: string): Promise<string> {
        if (isIP(name)) {
            return name;
        }
        const [host = "", ...zone] = name.split(".");
        const records = await this.cloud("recordList", { zone_name: zone.join(".") });
        const record = records.find((candidate) => candidate.name === host);
        if (record === undefined) {
            throw new Error(`the cloud's DNS has no address for ${name}`);
        }
        return record.value;
    }
}

/** Reads a kubeconfig as a client does. */
export function credentialsOf(kubeconfig: unknown): Credentials {
    const {
        clusters: [{ cluster }],
        users: [{ user }],
    } = parse(String(kubeconfig)) as Kubeconfig;
    const pem = (data: string) => Buffer.from(data, "base64").toString();
    return {
        server: new URL(cluster.server),
        ca: pem(cluster["certificate-authority-data"]),
        cert: pem(user["client-certificate-data"]),
        key: pem(user["client-key-data"]),
    };
}
