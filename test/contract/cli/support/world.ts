import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type LocalCloud, startLocalCloud } from "excloud-local";

import { type Call, makeClient } from "../../../../provider/api/client";
import { bootstrapOperations } from "../../../../provider/bootstrap/operations";
import {
    type BootstrapProcess,
    startBootstrapServer,
} from "../../local-cloud/support/bootstrap-process";

/** The compiled command: `npm run build` makes it. */
const main = join(__dirname, "../../../../dist/cli/main.js");
const quickstart = join(__dirname, "../../../../examples/quickstart");

/** A resource of a state. */
export interface Resource {
    readonly urn: string;
    readonly type: string;
    readonly parent?: string;
    readonly outputs?: object;
}

/** What a command came to. */
export interface Outcome {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
}

/** The local cloud, the real bootstrap server, and a project whose `pulumi` gives the answers it is told. */
export class World {
    private constructor(
        readonly folder: string,
        readonly cloud: LocalCloud,
        readonly server: BootstrapProcess,
        readonly bootstrap: Call<typeof bootstrapOperations>,
    ) {}

    static async open(): Promise<World> {
        const folder = realpathSync(mkdtempSync(join(tmpdir(), "cli-world-")));
        const delays = { creating: 1, starting: 1, terminating: 1, poll: 20, phase: 1, agent: 20 };
        const cloud = await startLocalCloud({ dir: join(folder, "cloud"), delays });
        const server = await startBootstrapServer(join(folder, "server"), cloud.environment());
        const bootstrap = makeClient(bootstrapOperations, {
            baseUrls: { bootstrap: server.url },
            token: () => server.operatorToken,
            credentialName: "the token",
            caPem: server.caPem,
        });
        const world = new World(folder, cloud, server, bootstrap);
        world.reset();
        return world;
    }

    /** A project that has all it needs, and a `pulumi` that knows a stack without resources. */
    reset(): void {
        rmSync(join(this.folder, ".pulumi"), { recursive: true, force: true });
        mkdirSync(join(this.folder, ".pulumi"));
        mkdirSync(join(this.folder, "answers"), { recursive: true });
        writeFileSync(
            join(this.folder, "Pulumi.yaml"),
            `name: shop\nruntime: nodejs\nmain: ${quickstart}\n`,
        );
        const script = [
            "#!/bin/sh",
            `cat "${this.folder}/answers/$1 $2" || { echo "error: no $1 $2" >&2; exit 1; }`,
        ].join("\n");
        writeFileSync(join(this.folder, "pulumi"), script);
        chmodSync(join(this.folder, "pulumi"), 0o755);
        this.answer("version --non-interactive", "v3.259.0\n");
        this.answer("stack --show-name", "organization/shop/prod\n");
        this.answer("whoami --json", JSON.stringify({ url: `file://${this.folder}` }));
        this.answer("config --show-secrets", "{}");
        this.answer("stack output", "{}");
        this.setState([]);
    }

    /** Tells the project's `pulumi` what to print; undefined makes it fail. */
    answer(command: string, text: string | undefined): void {
        const file = join(this.folder, "answers", command);
        if (text === undefined) {
            rmSync(file);
        } else {
            writeFileSync(file, text);
        }
    }

    setState(resources: readonly Resource[], pending: readonly object[] = []): void {
        this.answer(
            "stack export",
            JSON.stringify({ deployment: { resources, pending_operations: pending } }),
        );
    }

    /** Runs our command; `undefined` takes a variable away. */
    async run(
        args: readonly string[],
        environment: Readonly<Record<string, string | undefined>> = {},
    ): Promise<Outcome> {
        const child = spawn(
            process.execPath,
            [main, args[0]!, "--cwd", this.folder, ...args.slice(1)],
            {
                env: {
                    PATH: `${this.folder}:/usr/bin:/bin`,
                    ...this.cloud.environment(),
                    EXCLOUD_BOOTSTRAP_TOKEN: this.server.operatorToken,
                    ...environment,
                },
                stdio: ["ignore", "pipe", "pipe"],
            },
        );
        let stdout = "";
        let stderr = "";
        child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
        child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
        const [code] = (await once(child, "close")) as [number | null];
        return { code, stdout, stderr };
    }

    async close(): Promise<void> {
        await this.server.close();
        await this.cloud.close();
        rmSync(this.folder, { recursive: true, force: true });
    }
}

const urn = (type: string, name: string) => `urn:pulumi:prod::shop::${type}::${name}`;

/** The resources of a cluster, as a state holds them: as far as our command looks at them. */
export function clusterInState(
    name: string,
    cluster: { cluster_id: number; name: string },
    bootstrap: { operatorUrl: unknown; caPem?: string },
    certificates: Readonly<Record<string, string>> = {},
): Resource[] {
    const component = urn("excloud-k8s:index:ExcloudK8sCluster", name);
    const pki = urn("excloud-k8s:index:ExcloudK8sCluster$excloud-k8s:index:ClusterPki", name);
    const registration = "pulumi-nodejs:dynamic/excloud-k8s:ClusterRegistration";
    return [
        { urn: component, type: "excloud-k8s:index:ExcloudK8sCluster" },
        { urn: pki, type: "excloud-k8s:index:ClusterPki", parent: component },
        {
            urn: urn(`excloud-k8s:index:ExcloudK8sCluster$${registration}`, name),
            type: registration,
            parent: component,
            outputs: { bootstrap, clusterId: cluster.cluster_id, clusterName: cluster.name },
        },
        ...Object.entries(certificates).map(([certificate, validityEndTime]) => ({
            urn: urn("tls:index/locallySignedCert:LocallySignedCert", `${name}-${certificate}`),
            type: "tls:index/locallySignedCert:LocallySignedCert",
            parent: pki,
            outputs: { validityEndTime },
        })),
    ];
}

/** A date so many days from now. */
export function inDays(days: number): string {
    return new Date(Date.now() + days * 24 * 60 * 60 * 1000).toISOString();
}
