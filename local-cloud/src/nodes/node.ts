import { setTimeout as sleep } from "node:timers/promises";

import { maxLogLines, type Report } from "#contract/agent";
import type { Bundle } from "#contract/bundle";
import type { Phase } from "#contract/phases";

import type { VmRow } from "../state/model";
import { SimulatedApiServer } from "./api-server";
import { BootstrapClient } from "./bootstrap-client";
import { checkBundle, type Finding } from "./check/index";
import type { NodeDisk, NodeRecord } from "./disk";
import type { EtcdClusters } from "./etcd";
import { askIdentity } from "./imds-client";
import { NodeHttp } from "./node-http";
import { NodeLog } from "./node-log";
import type { NodeStatus } from "./status";
import { type BootstrapSettings, parseUserData } from "./user-data";

/** How long a node takes, in milliseconds. */
export interface NodeDelays {
    /** Between two tries to reach IMDS or to get the first bundle. */
    readonly poll: number;
    /** In each phase of the boot. */
    readonly phase: number;
    /** Between two runs of the agent. */
    readonly agent: number;
}

/** The script gives IMDS and the bootstrap server ten minutes each. */
const patienceMs = 10 * 60 * 1000;

const leaseTtlSeconds = 60;
const bootPhases = ["install", "etcd", "kubelet", "apiserver"] as const;

/**
 * One simulated node: does over the network what the scripts on a real node do, and refuses what a
 * real node would break on. It runs no kubelet, no etcd and no container.
 */
export class SimulatedNode {
    readonly log: NodeLog;
    private readonly stopping = new AbortController();
    private readonly settings: BootstrapSettings | undefined;
    private http: NodeHttp | undefined;
    private client: { readonly of: string; readonly to: BootstrapClient } | undefined;
    private readonly imds: NodeHttp;
    private readonly apiServer: SimulatedApiServer;
    private running: Promise<void> = Promise.resolve();
    private state: NodeStatus["state"] = "booting";
    private message: string | undefined;
    private record: NodeRecord | undefined;
    /** What was last reported with `applied`, to report only news. */
    private applied = "";
    private addonsDone = "";
    private checked: { readonly bundle: Bundle; readonly findings: readonly Finding[] } | undefined;

    constructor(
        private readonly vm: VmRow,
        private readonly disk: NodeDisk,
        private readonly etcd: EtcdClusters,
        private readonly environment: { readonly imdsUrl: string; readonly delays: NodeDelays },
    ) {
        this.log = new NodeLog(disk.logFile);
        this.settings = parseUserData(vm.user_data);
        const { signal } = this.stopping;
        this.imds = new NodeHttp(vm.interface.ipv4, "", signal);
        const addresses = [vm.interface.ipv4, ...(vm.public_ipv4 === null ? [] : [vm.public_ipv4])];
        this.apiServer = new SimulatedApiServer(addresses, {
            ready: () => this.isHealthy(),
            version: () => this.kubernetesVersion(),
        });
    }

    /** Powers the node on; it then lives until `stop`. */
    start(): void {
        this.running = this.live().catch((error: unknown) => {
            if (this.stopping.signal.aborted) {
                return;
            }
            this.fail(error instanceof Error ? error.message : String(error));
        });
    }

    async stop(): Promise<void> {
        this.stopping.abort();
        await this.running;
        await this.apiServer.close();
        await this.http?.close();
        await this.imds.close();
        if (this.record !== undefined) {
            this.etcd.stop(this.record.bundle);
        }
        this.state = "stopped";
        this.log.write("powered off");
    }

    /** The disk of the stopped node is deleted, and with it the data of its etcd member. */
    forgetMember(): void {
        if (this.record !== undefined) {
            this.etcd.forget(this.record.bundle);
        }
    }

    status(): NodeStatus {
        return {
            vm_id: this.vm.vm_id,
            vm_name: this.vm.name,
            address: this.vm.interface.ipv4,
            state: this.state,
            ...(this.message === undefined ? {} : { message: this.message }),
            ...(this.record === undefined
                ? {}
                : {
                      node_name: this.record.bundle.node_name,
                      generation: this.record.bundle.generation,
                  }),
        };
    }

    private async live(): Promise<void> {
        this.log.write(
            `powered on at ${this.vm.interface.ipv4}. This node is a simulation: it does what the scripts do over the network and checks its bundle, but runs no kubelet, no etcd and no container`,
        );
        if (this.settings === undefined) {
            this.state = "idle";
            this.log.write("the user data is no bootstrap script: nothing to do");
            return;
        }
        const { settings } = this;
        this.record = this.disk.read() ?? (await this.firstContact(settings));
        let up = await this.bringUp(await this.server(settings));
        for (;;) {
            await this.pause(this.environment.delays.agent);
            try {
                const client = await this.server(settings);
                const changed = await this.fetchChange(client);
                if (!up) {
                    up = await this.bringUp(client);
                } else if (changed) {
                    await this.tellApplying(client);
                    await this.apply();
                }
                if (up) {
                    await this.tellApplied(client);
                }
                if (up) {
                    await this.installAddons(client);
                }
            } catch (error) {
                // As on a real node: a run of the agent fails, the timer starts the next one.
                if (this.stopping.signal.aborted) {
                    throw error;
                }
                this.log.write(`agent: ${describe(error)}`);
            }
        }
    }

    /** The bootstrap server: files of the bundle may name another one than the user data did. */
    private async server(settings: BootstrapSettings): Promise<BootstrapClient> {
        const present = presentServer(settings, this.record?.bundle);
        const of = `${present.baseUrl} ${present.caPem}`;
        if (this.client?.of !== of) {
            await this.http?.close();
            this.http = new NodeHttp(this.vm.interface.ipv4, present.caPem, this.stopping.signal);
            this.client = { of, to: new BootstrapClient(this.http, present) };
        }
        return this.client.to;
    }

    /** The user data's script: IMDS, then the first bundle, then the files. */
    private async firstContact(settings: BootstrapSettings): Promise<NodeRecord> {
        const startedAt = new Date();
        const client = await this.server(settings);
        const identity = await this.poll("IMDS", () =>
            askIdentity(this.imds, this.environment.imdsUrl),
        );
        this.log.write(`IMDS says that this is VM ${identity.vmId}`);
        const bundle = await this.poll(`${settings.baseUrl} (first bundle)`, () =>
            client.firstBundle(identity.vmId, identity.imdsToken, identity.accessToken),
        );
        const { agent_token: agentToken, ...kept } = bundle;
        if (agentToken === undefined) {
            throw new Error("the first bundle holds no agent token");
        }
        const record: NodeRecord = { bundle: kept, agentToken, ready: false };
        this.log.write(`got the bundle of ${bundle.node_name}, generation ${bundle.generation}`);
        this.record = record;
        await this.tell(client, "userdata", "done", startedAt);
        const findings = this.findings(kept, "bundle");
        if (findings.length > 0) {
            // Nothing of it touches the disk: a real script would stop at the same place.
            const message = textOf(findings);
            await this.tell(client, "bundle", "failed", startedAt, message);
            throw new Error(message);
        }
        const written = this.disk.writeBundle(kept, undefined);
        this.disk.writeBootstrapFiles(settings, this.vm.vm_id, record);
        this.disk.keep(record);
        this.log.write(`wrote ${written.length} files (owners are not applied)`);
        await this.tell(client, "bundle", "done", startedAt);
        return record;
    }

    /**
     * Goes through the phases of the boot, or just starts everything when the node was Ready before.
     *
     * @returns false when a phase failed, or waits; the next run of the agent tries again
     */
    private async bringUp(client: BootstrapClient): Promise<boolean> {
        const record = this.requireRecord();
        const firstTime = !record.ready;
        for (const phase of bootPhases) {
            if (
                record.bundle.role !== "control-plane" &&
                phase !== "install" &&
                phase !== "kubelet"
            ) {
                continue;
            }
            const startedAt = new Date();
            const repeated = this.state === "failed";
            if (firstTime && !repeated) {
                await this.tell(client, phase, "running", startedAt);
            }
            await this.pause(this.environment.delays.phase);
            const problem = await this.phaseProblem(phase, record.bundle);
            if (problem !== undefined) {
                if (problem !== this.message) {
                    this.fail(`phase ${phase}: ${problem}`);
                    await this.tell(client, phase, "failed", startedAt, problem);
                }
                return false;
            }
            if (firstTime) {
                await this.tell(client, phase, "done", startedAt);
            }
        }
        this.state = "ready";
        this.message = undefined;
        this.log.write(`ready (simulated) with generation ${record.bundle.generation}`);
        if (firstTime) {
            await this.tell(client, "node-ready", "done", new Date());
            this.record = { ...record, ready: true };
            this.disk.keep(this.record);
        }
        return true;
    }

    /** Does the phase; tells what keeps a real node from passing it. */
    private async phaseProblem(
        phase: (typeof bootPhases)[number],
        bundle: Bundle,
    ): Promise<string | undefined> {
        const findings = this.findings(bundle, phase);
        if (findings.length > 0) {
            return textOf(findings);
        }
        if (phase === "etcd") {
            return this.startEtcd(bundle);
        }
        if (phase === "apiserver") {
            await this.apiServer.serve(bundle);
        }
        return undefined;
    }

    /** Starts the member and waits for its quorum, as systemd waits for etcd's readiness. */
    private async startEtcd(bundle: Bundle): Promise<string | undefined> {
        const deadline = Date.now() + patienceMs;
        let said = "";
        for (;;) {
            const start = this.etcd.start(bundle);
            if (start.outcome === "running") {
                return undefined;
            }
            if (start.outcome === "broken" || Date.now() > deadline) {
                return start.reason;
            }
            if (said !== start.reason) {
                this.log.write((said = start.reason));
            }
            await this.pause(this.environment.delays.poll);
        }
    }

    /** The agent's conditional GET; writes what changed. */
    private async fetchChange(client: BootstrapClient): Promise<boolean> {
        const record = this.requireRecord();
        const bundle = await client.changedBundle(record.agentToken, record.bundle.revision);
        if (bundle === undefined) {
            return false;
        }
        const findings = this.findings(bundle, "bundle");
        if (findings.length > 0) {
            throw new Error(textOf(findings));
        }
        const written = this.disk.writeBundle(bundle, record.bundle);
        this.record = { ...record, bundle };
        this.disk.keep(this.record);
        this.log.write(
            `agent: generation ${bundle.generation}, ${bundle.peers.length} peers; wrote ${written.length === 0 ? "no file" : written.join(", ")}`,
        );
        return true;
    }

    /** What a running node does with changed files. */
    private async apply(): Promise<void> {
        const { bundle } = this.requireRecord();
        const findings = this.findings(bundle);
        if (findings.length > 0) {
            this.fail(textOf(findings));
            return;
        }
        await this.apiServer.serve(bundle);
        this.state = "ready";
        this.message = undefined;
    }

    /** Says that a change is being applied; the server then waits for word that the node is well. */
    private async tellApplying(client: BootstrapClient): Promise<void> {
        const { bundle, agentToken } = this.requireRecord();
        this.applied = "";
        await client.report(agentToken, {
            generation: bundle.generation,
            phase: "applied",
            state: "running",
            started_at: new Date().toISOString(),
        });
    }

    /** Reports `applied` when the generation, the health or the reason of a failure is news. */
    private async tellApplied(client: BootstrapClient): Promise<void> {
        const { bundle, agentToken } = this.requireRecord();
        const health = this.health(bundle);
        const failed = !Object.values(health).every(Boolean);
        const news = JSON.stringify([bundle.generation, health, this.message]);
        if (news === this.applied) {
            return;
        }
        const now = new Date().toISOString();
        await client.report(agentToken, {
            generation: bundle.generation,
            phase: "applied",
            state: failed ? "failed" : "done",
            started_at: now,
            finished_at: now,
            health,
            ...(this.message === undefined ? {} : { message: this.message }),
            ...(failed ? { log_tail: this.log.tail(maxLogLines) } : {}),
        });
        this.applied = news;
        this.log.write(`reported generation ${bundle.generation} ${failed ? "failed" : "applied"}`);
    }

    /** Addons belong to whichever control plane holds the lease; done again when their files change. */
    private async installAddons(client: BootstrapClient): Promise<void> {
        const { bundle, agentToken } = this.requireRecord();
        const wanted = JSON.stringify(
            Object.entries(bundle.files).filter(([file]) =>
                file.startsWith("/etc/exk8s/manifests/"),
            ),
        );
        if (
            bundle.role !== "control-plane" ||
            this.state !== "ready" ||
            wanted === this.addonsDone
        ) {
            return;
        }
        if (!(await client.takeLease(agentToken, "addons", leaseTtlSeconds))) {
            return;
        }
        const startedAt = new Date();
        await this.tell(client, "addons", "running", startedAt);
        await this.pause(this.environment.delays.phase);
        await this.tell(client, "addons", "done", startedAt);
        await client.releaseLease(agentToken, "addons");
        this.addonsDone = wanted;
    }

    private async tell(
        client: BootstrapClient,
        phase: Phase,
        state: Report["state"],
        startedAt: Date,
        message?: string,
    ): Promise<void> {
        const { bundle, agentToken } = this.requireRecord();
        this.log.write(`phase ${phase}: ${state}`);
        await client
            .report(agentToken, {
                generation: bundle.generation,
                phase,
                state,
                started_at: startedAt.toISOString(),
                ...(state === "running" ? {} : { finished_at: new Date().toISOString() }),
                ...(message === undefined ? {} : { message, log_tail: this.log.tail(maxLogLines) }),
            })
            .catch((error: unknown) => {
                // A report that is lost does not stop a boot.
                if (this.stopping.signal.aborted) {
                    throw error;
                }
                this.log.write(`report: ${describe(error)}`);
            });
    }

    /** Tries until it works; a refusal, an unreachable server and a server error look alike to curl. */
    private async poll<Result>(what: string, attempt: () => Promise<Result>): Promise<Result> {
        const deadline = Date.now() + patienceMs;
        let said = "";
        for (;;) {
            try {
                return await attempt();
            } catch (error) {
                if (this.stopping.signal.aborted) {
                    throw error;
                }
                const reason = describe(error);
                if (reason !== said) {
                    this.log.write(`${what}: ${reason}; trying on`);
                }
                said = reason;
                if (Date.now() > deadline) {
                    throw new Error(`gave up on ${what}: ${reason}`, { cause: error });
                }
            }
            await this.pause(this.environment.delays.poll);
        }
    }

    /** What is wrong with a bundle; with a phase, only what that phase stumbles over. */
    private findings(bundle: Bundle, phase?: Finding["phase"]): Finding[] {
        if (this.checked?.bundle !== bundle) {
            this.checked = { bundle, findings: checkBundle(bundle, this.vm.interface.ipv4) };
        }
        return this.checked.findings.filter((one) => phase === undefined || one.phase === phase);
    }

    private isHealthy(): boolean {
        const bundle = this.record?.bundle;
        return (
            bundle !== undefined && this.state === "ready" && this.etcd.hasQuorum(bundle.cluster_id)
        );
    }

    private health(bundle: Bundle): Record<string, boolean> {
        const kubelet = this.state === "ready";
        return bundle.role === "control-plane"
            ? { kubelet, etcd: this.etcd.hasQuorum(bundle.cluster_id), apiserver: this.isHealthy() }
            : { kubelet };
    }

    private kubernetesVersion(): string {
        const environment = this.record?.bundle.files["/etc/exk8s/config/cluster.env"] ?? "";
        return /^KUBERNETES_VERSION='?(v[\d.]+)/m.exec(environment)?.[1] ?? "v0.0.0";
    }

    private fail(message: string): void {
        this.state = "failed";
        this.message = message;
        this.log.write(`FAILED: ${message}`);
    }

    private requireRecord(): NodeRecord {
        if (this.record === undefined) {
            throw new Error("the node has no bundle yet");
        }
        return this.record;
    }

    private async pause(milliseconds: number): Promise<void> {
        await sleep(milliseconds, undefined, { signal: this.stopping.signal });
    }
}

function presentServer(settings: BootstrapSettings, bundle: Bundle | undefined): BootstrapSettings {
    const environment = bundle?.files["/etc/exk8s/config/bootstrap-server.env"] ?? "";
    const [, baseUrl] = /^BOOTSTRAP_BASE_URL='?([^'\n]+)/m.exec(environment) ?? [];
    return {
        ...settings,
        baseUrl: baseUrl ?? settings.baseUrl,
        caPem: bundle?.files["/etc/exk8s/config/bootstrap-server-ca.pem"] ?? settings.caPem,
    };
}

const textOf = (findings: readonly Finding[]): string =>
    findings.map(({ check, reason }) => `${check}: ${reason}`).join("; ");

/** A line for the log: network errors carry their cause in a code. */
function describe(error: unknown): string {
    if (!(error instanceof Error)) {
        return String(error);
    }
    const code = (error as NodeJS.ErrnoException).code;
    return code === undefined || error.message.includes(code)
        ? error.message
        : `${code} ${error.message}`;
}
