import { execFile, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { request } from "undici";

import { ensureArtifacts } from "../../../tools/binaries";
import { outputsOf } from "../../../tools/playground/playground";
import { type Bench, openBench } from "../../engine/cluster/harness";

const execute = promisify(execFile);

/** Where a cloud and its bootstrap server listen: each cloud has a network of its own. */
export const ports = { cloud: 7450, server: 7460 } as const;

/** What a command printed, and how it ended. */
export interface Ended {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

/** What a cluster on real nodes needs beyond the usual programs. */
export interface RealClusterOptions {
    /** The minor of Kubernetes before, to upgrade from. */
    readonly former?: boolean;
}

/** A cluster on real nodes, made by the real engine, and hands to touch it with. */
export class RealCluster {
    private constructor(
        readonly bench: Bench,
        readonly artifacts: string,
    ) {}

    /** Opens a cloud with real nodes; nothing is created yet. */
    static async open(
        args: Readonly<Record<string, unknown>>,
        options: RealClusterOptions = {},
    ): Promise<RealCluster> {
        const artifacts = await ensureArtifacts((line) => console.error(line), options);
        return new RealCluster(await openBench({ artifacts, ports, arguments: args }), artifacts);
    }

    /** Brings the cluster to its arguments; fails unless `up` ends with the expected code. */
    async up(expected = 0): Promise<string> {
        return this.bench.pulumi(["up", "--yes", "--skip-preview"], expected);
    }

    /** Writes the kubeconfig that the stack gives for use inside the network; returns its path. */
    async kubeconfig(): Promise<string> {
        const { internalKubeconfig } = await outputsOf(this.bench.stack);
        writeFileSync(this.kubeconfigFile, String(internalKubeconfig), { mode: 0o600 });
        return this.kubeconfigFile;
    }

    private get kubeconfigFile(): string {
        return join(this.bench.folder.root, "kubeconfig");
    }

    /** A program of the artifacts, such as `kubectl` or `helm`. */
    program(name: string): string {
        return join(this.artifacts, "bin", name);
    }

    /** Runs kubectl on this machine and gives its output; throws when it fails. */
    async kubectl(...args: string[]): Promise<string> {
        const { stdout } = await this.tryKubectl(...args);
        return stdout;
    }

    private tryKubectl(...args: string[]): Promise<{ stdout: string }> {
        return execute(this.program("kubectl"), ["--kubeconfig", this.kubeconfigFile, ...args], {
            maxBuffer: 64 * 1024 * 1024,
        });
    }

    /** What kubectl prints as JSON. */
    async get<T>(...args: string[]): Promise<T> {
        return JSON.parse(await this.kubectl("get", "--output", "json", ...args)) as T;
    }

    /** Applies a manifest. */
    async apply(manifest: string): Promise<void> {
        await this.feed(
            this.program("kubectl"),
            [...["--kubeconfig", this.kubeconfigFile, "apply", "--filename", "-"]],
            manifest,
        );
    }

    /** Runs a command on a node, as root; throws when it fails. */
    async onNode(slot: string, ...command: string[]): Promise<string> {
        const { code, stdout, stderr } = await this.tryOnNode(slot, ...command);
        if (code !== 0) {
            throw new Error(`${slot}: ${command.join(" ")} ended with ${code}: ${stdout}${stderr}`);
        }
        return stdout;
    }

    /** Runs a command on a node, as root. */
    async tryOnNode(slot: string, ...command: string[]): Promise<Ended> {
        const pid = await this.pid(slot);
        const namespaces = ["-m", "-u", "-i", "-n", "-p", "-C"];
        const environment = [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/root",
            "KUBECONFIG=/etc/exk8s/kubeconfig/admin.kubeconfig",
        ];
        const args = [
            "-t",
            String(pid),
            ...namespaces,
            "--",
            "env",
            "-i",
            ...environment,
            ...command,
        ];
        try {
            const { stdout, stderr } = await execute("nsenter", args, {
                maxBuffer: 64 * 1024 * 1024,
            });
            return { code: 0, stdout, stderr };
        } catch (error) {
            const { code, stdout, stderr } = error as {
                code: number;
                stdout: string;
                stderr: string;
            };
            return { code, stdout, stderr };
        }
    }

    /** Process id of a node's init. */
    async pid(slot: string): Promise<number> {
        const node = (await this.nodes()).find(({ vm_name }) => vm_name.endsWith(`-${slot}`));
        if (node?.pid === undefined) {
            throw new Error(`${slot} is not on`);
        }
        return node.pid;
    }

    async nodes(): Promise<{ vm_id: number; vm_name: string; address: string; pid?: number }[]> {
        return (await this.admin("GET", "nodes")) as never;
    }

    /** Id of the VM that is a node now. */
    async vmId(slot: string): Promise<number> {
        const vms = await this.bench.vms();
        const vm = vms.find(
            ({ name, state }) => name.endsWith(`-${slot}`) && state !== "TERMINATED",
        );
        if (vm === undefined) {
            throw new Error(`${slot} has no VM`);
        }
        return vm.vm_id;
    }

    /** Waits until VMs are in a state. */
    async mustBecome(wanted: string, vms: readonly number[], seconds: number): Promise<void> {
        await eventually(seconds, async () => {
            for (const vm_id of vms) {
                const { state } = await this.bench.cloud("vmGet", { vm_id });
                if (state !== wanted) {
                    throw new Error(`VM ${vm_id} is ${state}, not ${wanted}`);
                }
            }
        });
    }

    /** When the oldest process of a program on a node began: seconds since 1970. */
    processStart(slot: string, program: string): Promise<string> {
        return this.onNode(slot, "bash", "-c", `stat -c %Y /proc/$(pgrep -o '^${program}')`);
    }

    async address(slot: string): Promise<string> {
        const node = (await this.nodes()).find(({ vm_name }) => vm_name.endsWith(`-${slot}`));
        if (node === undefined) {
            throw new Error(`${slot} is not there`);
        }
        return node.address;
    }

    /** Pulls a node's cable, or plugs it in again. */
    async cable(slot: string, state: "up" | "down"): Promise<void> {
        const namespace = this.bench.services.real?.network.namespace ?? "";
        await execute("ip", ["-n", namespace, "link", "set", `vm${await this.vmId(slot)}`, state]);
    }

    /** What goes wrong on purpose around the nodes. */
    async setFaults(faults: Record<string, unknown>): Promise<void> {
        await this.admin("PUT", "faults", faults);
    }

    private async admin(method: "GET" | "PUT", path: string, body?: unknown): Promise<unknown> {
        const { computeUrl, environment } = this.bench.services;
        const answer = await request(`${computeUrl}/_local/${path}`, {
            method,
            headers: {
                authorization: `Bearer ${environment["EXCLOUD_API_KEY"]}`,
                ...(body === undefined ? {} : { "content-type": "application/json" }),
            },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const text = await answer.body.text();
        if (answer.statusCode !== 200) {
            throw new Error(`${method} ${path}: ${text}`);
        }
        return JSON.parse(text) as unknown;
    }

    /** Runs a command on this machine with a text as its input. */
    feed(file: string, args: readonly string[], input: string): Promise<string> {
        const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
        let said = "";
        for (const stream of [child.stdout, child.stderr]) {
            stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
        }
        child.stdin.end(input);
        return new Promise((resolve, reject) => {
            child.on("error", reject);
            child.on("close", (code) =>
                code === 0
                    ? resolve(said)
                    : reject(new Error(`${file} ended with ${code}: ${said}`)),
            );
        });
    }

    /**
     * Destroys the cluster, unless that was done, and ends its cloud.
     *
     * @throws when something of the cluster is left
     */
    async close(): Promise<void> {
        try {
            await this.bench.pulumi(["destroy", "--yes", "--skip-preview"]);
            const left = Object.values(await this.bench.inventory()).flat();
            if (left.length > 0) {
                throw new Error(`destroy left ${JSON.stringify(left)}`);
            }
        } finally {
            await this.bench.close();
        }
    }
}

/**
 * Tries until something holds, and gives what it gave.
 *
 * @throws the last failure after the bound, in seconds
 */
export async function eventually<T>(seconds: number, work: () => Promise<T>): Promise<T> {
    for (const end = Date.now() + seconds * 1000; ; await sleep(1000)) {
        try {
            return await work();
        } catch (error) {
            if (Date.now() > end) {
                throw error;
            }
        }
    }
}
