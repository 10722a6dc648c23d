import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { jest } from "@jest/globals";
import { Agent, type Dispatcher, request } from "undici";

import type { BootstrapServerOptions } from "../../../../bootstrap-server/src/options";
import { manifestOf } from "../../../../bootstrap-server/src/rules/bundle";
import { type RunningServer, startServer } from "../../../../bootstrap-server/src/server";
import { databaseClock } from "../../../../bootstrap-server/src/store/clock";
import { generationOf, sha256 } from "../../../../contract/manifest";
import { nodeName } from "../../../../contract/names";
import { poolOf, roleOf } from "../../../../contract/pools";
import type { Role } from "../../../../contract/roles";
import type { Files } from "../../../../contract/schemas";
import { type ExcloudStandIn, serverApiKey } from "./excloud-stand-in";

// An ES module that the documentation's file server loads for downloads, which it never offers.
// Node loads it by require; jest's module loader cannot.
jest.mock("content-disposition", () => ({}));

/** What tests read of any body; a member that an answer lacks fails the test's assertion. */
export interface Body {
    error: { code: string; message: string; request_id: string };
    openapi: string;
    paths: Record<string, object>;
    clusters: {
        cluster_id: number;
        key: string;
        slots: number;
        bound: number;
        last_seen_at: string | null;
    }[];
    cluster_id: number;
    node_name: string;
    name: string;
    mode: string;
    etcd_state: string;
    vm_id: number | null;
    armed: boolean;
    generation: string;
    revision: string;
    digests: Record<string, string>;
    files: Record<string, string>;
    attributes: Record<string, { mode: string; owner: string }>;
    peers: { name: string; address: string; role: string }[];
    etcd: { state: string } | undefined;
    agent_token: string;
    granted: boolean;
    holder: string;
    nodes: {
        healthy: boolean;
        phases: object[];
        held_by: string | undefined;
        last_refusal: { reason: string };
    }[];
}

/** An answer of the server. */
export interface TextAnswer {
    status: number;
    headers: Record<string, string | string[] | undefined>;
    text: string;
}

/** An answer of the server's API. */
export interface Answer extends Omit<TextAnswer, "text"> {
    body: Body;
}

/** How a call differs from a plain GET. */
export interface Call {
    method?: Dispatcher.HttpMethod;
    body?: unknown;
    /** Sent as it is, in place of `body`. */
    text?: string;
    token?: string | undefined;
    headers?: Record<string, string | string[]>;
    /** Loopback address to call from. */
    from?: string;
}

/** A server under test, called over real HTTPS with its own authority pinned. */
export class Harness {
    /** Milliseconds the server's clock is ahead of the database's. */
    ahead = 0;
    /** What the server logged, a line each; needs a `logLevel`. */
    readonly log: string[] = [];
    server!: RunningServer;
    private readonly agents = new Map<string, Agent>();
    dataDir!: string;

    /** `dataDir`: a folder that is there and stays, in place of one that goes with the server. */
    constructor(
        readonly excloud: ExcloudStandIn,
        private readonly options: Partial<BootstrapServerOptions> = {},
    ) {}

    async start(): Promise<this> {
        this.dataDir = this.options.dataDir ?? (await mkdtemp(join(tmpdir(), "bootstrap-server-")));
        const { url } = this.excloud;
        this.server = await startServer(
            {
                listen: { host: "127.0.0.1", port: 0 },
                dataDir: this.dataDir,
                excloud: { iamBaseUrl: url, computeBaseUrl: url, apiKey: serverApiKey },
                logLevel: "silent",
                ...this.options,
            },
            async (db, read) => new Date((await databaseClock(db, read)).getTime() + this.ahead),
            { write: (line) => void this.log.push(line) },
        );
        return this;
    }

    protected async closeConnections(): Promise<void> {
        await Promise.all([...this.agents.values()].map((agent) => agent.close()));
    }

    async stop(): Promise<void> {
        await this.closeConnections();
        await this.server.close();
        if (this.options.dataDir === undefined) {
            await rm(this.dataDir, { recursive: true });
        }
    }

    /** A call whose answer may be any text. */
    async text(path: string, call: Call = {}): Promise<TextAnswer> {
        const { method = "GET", body, text: raw, token, headers = {}, from = "127.0.0.1" } = call;
        const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
        // Not by URL: a path is sent as it is, with whatever dots and percent signs it has.
        const response = await this.agentFrom(from).request({
            origin: this.server.url,
            path,
            method,
            headers: {
                ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
                ...(sent === undefined ? {} : { "content-type": "application/json" }),
                ...headers,
            },
            ...(sent === undefined ? {} : { body: sent }),
        });
        const text = await response.body.text();
        return { status: response.statusCode, headers: response.headers, text };
    }

    async call(path: string, call: Call = {}): Promise<Answer> {
        const { text, ...answer } = await this.text(path, call);
        const isJson = /json/.test(String(answer.headers["content-type"]));
        return { ...answer, body: (isJson && text !== "" ? JSON.parse(text) : undefined) as Body };
    }

    /** The status of an answer that need not be JSON. */
    async rawStatus(path: string, headers: Record<string, string>): Promise<number> {
        const dispatcher = this.agentFrom("127.0.0.1");
        const answer = await request(`${this.server.url}${path}`, { dispatcher, headers });
        await answer.body.dump();
        return answer.statusCode;
    }

    /** A call with the operator's token. */
    operator(path: string, call: Call = {}): Promise<Answer> {
        return this.call(path, { token: this.server.operatorToken, ...call });
    }

    private agentFrom(localAddress: string): Agent {
        const agent =
            this.agents.get(localAddress) ??
            new Agent({ connect: { ca: this.server.caPem }, localAddress });
        this.agents.set(localAddress, agent);
        return agent;
    }
}

let lastVmId = 1000;

/** A VM id that no other test uses. */
export function newVmId(): number {
    return ++lastVmId;
}

/** The secret of a slot in the tests. */
export function slotSecret(slot: string): string {
    return `secret-of-${slot}`;
}

/** Files of one short text each. */
export function textFiles(contents: Record<string, string>): Files {
    return Object.fromEntries(
        Object.entries(contents).map(([path, content]) => [
            path,
            { content, mode: "0644", owner: "root:root" },
        ]),
    );
}

/** A node of a test cluster: its VM exists at the stand-in, with a machine's token. */
export class TestNode {
    agentToken: string | undefined;

    constructor(
        readonly cluster: TestCluster,
        readonly slot: string,
        readonly vmId: number,
    ) {
        const { excloud } = cluster.harness;
        excloud.principals.set(this.accessToken, {
            org_id: 5,
            service_account_id: 9,
            kind: "machine",
        });
        excloud.vms.set(vmId, { vm_id: vmId, state: "RUNNING", interface_ipv4: "127.0.0.1" });
    }

    get role(): Role {
        return roleOf(poolOf(this.slot));
    }

    get accessToken(): string {
        return `access-token-of-${this.vmId}`;
    }

    /** The headers of a first contact that is in order. */
    get factors(): Record<string, string> {
        return { "x-exk8s-slot-secret": slotSecret(this.slot) };
    }

    firstContact(call: Call = {}, harness = this.cluster.harness): Promise<Answer> {
        return harness
            .call(`/bootstrap/${this.role}/${this.vmId}`, {
                token: this.accessToken,
                headers: this.factors,
                ...call,
            })
            .then((answer) => {
                if (answer.status === 200) {
                    this.agentToken = answer.body.agent_token;
                }
                return answer;
            });
    }

    bundle(revision?: string, harness = this.cluster.harness): Promise<Answer> {
        const headers = revision === undefined ? {} : { "if-none-match": `"${revision}"` };
        return harness.call("/agent/bundle", { token: this.agentToken, headers });
    }

    report(phase: string, state = "done", more: Record<string, unknown> = {}): Promise<Answer> {
        const body = {
            generation: "a".repeat(64),
            phase,
            state,
            started_at: "2030-01-01T00:00:00Z",
            ...more,
        };
        return this.cluster.harness.call("/agent/report", {
            method: "POST",
            token: this.agentToken,
            body,
        });
    }

    /** Reports a generation applied, in good health by default. */
    applied(generation: string, healthy = true): Promise<Answer> {
        return this.report("applied", "done", { generation, health: { kubelet: healthy } });
    }

    lease(name: string, ttlSeconds = 60): Promise<Answer> {
        return this.cluster.harness.call(`/agent/leases/${name}`, {
            method: "PUT",
            token: this.agentToken,
            body: { ttl_seconds: ttlSeconds },
        });
    }
}

/** A registered cluster of a test. */
export class TestCluster {
    private constructor(
        readonly harness: Harness,
        readonly id: number,
        readonly name: string,
        readonly key: string,
    ) {}

    static async register(harness: Harness, key = `org/project/${newVmId()}`) {
        const { body } = await harness.operator("/v1/clusters", { method: "POST", body: { key } });
        return new TestCluster(harness, body.cluster_id, body.name, key);
    }

    operator(path: string, call: Call = {}): Promise<Answer> {
        return this.harness.operator(`/v1/clusters/${this.id}${path}`, call);
    }

    putSlot(slot: string, secret = slotSecret(slot)): Promise<Answer> {
        const body = {
            role: roleOf(poolOf(slot)),
            node_name: nodeName(slot, this.id),
            secret_sha256: sha256(secret),
        };
        return this.operator(`/nodes/${slot}`, { method: "PUT", body });
    }

    roleText = "role 1";

    putPoolFiles(
        pool: string,
        slots: readonly string[],
        text = this.roleText,
        more: Record<string, unknown> = {},
    ): Promise<Answer> {
        this.roleText = text;
        const body = {
            role: roleOf(pool),
            slots,
            files: textFiles({ "/etc/role": text }),
            ...more,
        };
        return this.operator(`/pools/${pool}/files`, { method: "PUT", body });
    }

    /** A bundle of the pool's file and one of the node's own. */
    bundleBody(slot: string, vmId: number, address = "10.0.0.1") {
        const files = textFiles({ "/etc/node": `node ${slot}` });
        const manifest = manifestOf({ ...textFiles({ "/etc/role": this.roleText }), ...files });
        return { vm_id: vmId, address, files, manifest, generation: generationOf(manifest) };
    }

    putBundle(slot: string, body: unknown): Promise<Answer> {
        return this.operator(`/nodes/${slot}/bundle`, { method: "PUT", body });
    }

    /** Binds a new VM to a slot and puts its bundle. */
    async bind(slot: string, address?: string): Promise<TestNode> {
        const node = new TestNode(this, slot, newVmId());
        const { status, body } = await this.putBundle(
            slot,
            this.bundleBody(slot, node.vmId, address),
        );
        if (status !== 200) {
            throw new Error(`bundle: ${status} ${JSON.stringify(body)}`);
        }
        return node;
    }

    /** A cluster with slots, pools' files and bound VMs: what one `up` makes before VMs boot. */
    static async complete(harness: Harness, slots: readonly string[]) {
        const cluster = await TestCluster.register(harness);
        for (const slot of slots) {
            await cluster.putSlot(slot);
        }
        for (const pool of new Set(slots.map(poolOf))) {
            const own = slots.filter((slot) => poolOf(slot) === pool);
            await cluster.putPoolFiles(pool, own);
        }
        const nodes: TestNode[] = [];
        for (const [index, slot] of slots.entries()) {
            nodes.push(await cluster.bind(slot, `10.0.0.${index + 1}`));
        }
        return { cluster, nodes };
    }

    /** A complete cluster whose nodes all booted and reported their generation healthy. */
    static async running(harness: Harness, slots: readonly string[]) {
        const { cluster, nodes } = await TestCluster.complete(harness, slots);
        for (const node of nodes) {
            const { body } = await node.firstContact();
            await node.report("etcd");
            await node.report("node-ready");
            await node.applied(body.generation);
        }
        return { cluster, nodes };
    }
}
