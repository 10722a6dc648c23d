import { rm } from "node:fs/promises";

import { sql } from "kysely";

import {
    type FirstContactLimits,
    firstContactLimits,
} from "../../../../bootstrap-server/src/limits";
import { sha256 } from "../../../../bootstrap-server/src/secrets";
import type { VerifierMode } from "../../../../contract/verifier";
import { startPostgres, type TestPostgres } from "../../../../tools/postgres/postgres";
import { isFull } from "../../../support/sample";
import type { Secret } from "../../../support/secrets";
import { type ExcloudStandIn, orgId, startExcloudStandIn } from "./excloud-stand-in";
import { type Answer, type Call, Harness, slotSecret, TestCluster, TestNode } from "./harness";

/** Stores and modes that are attacked. */
export const fields: { store: "PGlite" | "PostgreSQL"; mode: VerifierMode }[] = [
    { store: "PGlite", mode: "selfHosted" },
    { store: "PGlite", mode: "excloud" },
    { store: "PostgreSQL", mode: "selfHosted" },
    { store: "PostgreSQL", mode: "excloud" },
];

/** Of each store and each mode one, for what neither has a part in. */
export const sampledFields = isFull
    ? fields
    : fields.filter(({ store, mode }) => (store === "PGlite") === (mode === "selfHosted"));

/** The one address whose X-Forwarded-For the attacked server believes. */
export const proxy = "127.0.0.9";
/** An address that is no VM's. */
export const stranger = "127.0.0.2";

/** The cloud's tables as the server assumes them. */
const cloudTables = [
    "CREATE TABLE vms (id bigint PRIMARY KEY)",
    "CREATE TABLE interfaces (id bigint PRIMARY KEY, vm_id bigint, ipv4 text, ipv6 text)",
    "CREATE TABLE public_ipv4s (interface_id bigint, ipv4 text)",
];

const later = "2999-01-01T00:00:00Z";

/** What a file of the nodes holds. */
export const treasure = "the-private-key-of-a-cluster-which-nobody-else-may-read";

/**
 * A server with nodes whose bundles are worth stealing, and what an attacker may have come by: the
 * factors of each node, tokens of users and of other organisations.
 */
export class Guarded {
    readonly operatorToken = "Operator-Token-of-the-attacked-Server";
    harness!: Harness;
    excloud!: ExcloudStandIn;
    cluster!: TestCluster;
    /** Its slot is open, and it has an agent token. */
    open!: TestNode;
    /** Another node of the cluster, also open. */
    other!: TestNode;
    /** Reported ready more than the grace ago. */
    closed!: TestNode;
    /** Its place was given to another VM. */
    replaced!: TestNode;
    /** A VM of the organisation that fills no slot. */
    unbound!: TestNode;
    private postgres: TestPostgres | undefined;

    constructor(
        private readonly store: "PGlite" | "PostgreSQL",
        readonly mode: VerifierMode,
        private readonly limits: Partial<FirstContactLimits> = {},
    ) {}

    async start(): Promise<this> {
        this.excloud = await startExcloudStandIn();
        if (this.store === "PostgreSQL") {
            this.postgres = await startPostgres();
        }
        const store = {
            operatorToken: this.operatorToken,
            ...(this.postgres ? { databaseUrl: this.postgres.url } : {}),
        };
        // VerifierMode excloud finds the tables there, so a first start makes ours beside them.
        const first = await new Harness(this.excloud, store).start();
        for (const statement of cloudTables) {
            await sql.raw(statement).execute(first.server.db);
        }
        await first.server.close();
        this.harness = await new Harness(this.excloud, {
            ...store,
            dataDir: first.dataDir,
            mode: this.mode,
            trustedProxies: [proxy],
            firstContactLimits: { ...firstContactLimits, ...this.limits },
            logLevel: "trace",
        }).start();
        await this.settle();
        return this;
    }

    /** Clusters and nodes, each VM known to the cloud with its tokens. */
    private async settle(): Promise<void> {
        const { harness } = this;
        const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1", "worker-1"]);
        const second = await TestCluster.complete(harness, ["cp-1", "worker-1"]);
        this.cluster = cluster;
        [this.open, this.other] = nodes as [TestNode, TestNode];
        [this.closed, this.replaced] = second.nodes as [TestNode, TestNode];
        this.unbound = new TestNode(cluster, "cp-1", this.replaced.vmId + 1000);
        for (const node of [...nodes, ...second.nodes, this.unbound]) {
            await this.enrol(node);
        }
        await cluster.putPoolFiles("cp", ["cp-1"], treasure);
        await cluster.putBundle("cp-1", cluster.bundleBody("cp-1", this.open.vmId));
        await this.ask(this.open);
        await this.ask(this.replaced);
        await second.cluster.bind("worker-1");
        await this.ask(this.closed);
        await this.closed.report("node-ready");
        harness.ahead += 16 * 60_000;
    }

    /** Makes a VM known to the cloud, with its tokens. */
    async enrol({ accessToken, vmId }: TestNode): Promise<void> {
        this.excloud.principals.set(accessToken, { org_id: orgId, kind: "machine", vm_id: vmId });
        if (this.mode === "selfHosted") {
            return;
        }
        const { db } = this.harness.server;
        await sql`INSERT INTO vms VALUES (${vmId})`.execute(db);
        await sql`INSERT INTO interfaces VALUES (${vmId}, ${vmId}, '127.0.0.1', NULL)`.execute(db);
        await this.session(imdsToken(vmId), vmId);
    }

    /** Writes what the cloud's metadata service writes when it gives a VM a session token. */
    async session(token: string, vmId: number, org = orgId, expiry = later): Promise<void> {
        await this.harness.server.db
            .insertInto("imds_tokens")
            .values({ hash: sha256(token), vm_id: vmId, org_id: org, expiry_at: expiry })
            .onConflict((conflict) => conflict.doNothing())
            .execute();
    }

    /** The first factor with another value than the right one, or the right one. */
    factor(node: TestNode, value?: string | string[]): Record<string, string | string[]> {
        return this.mode === "selfHosted"
            ? { "x-exk8s-slot-secret": value ?? slotSecret(node.slot) }
            : { "x-exc-imds-token": value ?? imdsToken(node.vmId) };
    }

    /** A first contact that is in order, but for `call` and `path`. */
    async ask(node: TestNode, call: Call = {}, path = pathOf(node)): Promise<Answer> {
        const proof = { token: node.accessToken, headers: this.factor(node) };
        const answer = await this.harness.call(path, { ...proof, ...call });
        if (answer.status === 200) {
            node.agentToken = answer.body.agent_token;
        }
        return answer;
    }

    /** Everything that must not be logged. */
    get secrets(): Secret[] {
        const nodes = [this.open, this.other, this.closed, this.replaced, this.unbound];
        return [
            { kind: "operator token", text: this.operatorToken },
            { kind: "content", text: treasure },
            ...nodes.flatMap((node) => [
                { kind: "access token", text: node.accessToken },
                { kind: "slot secret", text: slotSecret(node.slot) },
                { kind: "session token", text: imdsToken(node.vmId) },
                ...(node.agentToken ? [{ kind: "agent token", text: node.agentToken }] : []),
            ]),
        ];
    }

    async stop(): Promise<void> {
        await this.harness.stop();
        await rm(this.harness.dataDir, { recursive: true });
        await this.postgres?.stop();
        await this.excloud.stop();
    }
}

/** The IMDS session token of a VM in the tests. */
export function imdsToken(vmId: number): string {
    return `session-token-of-${vmId}`;
}

/** Where a node asks for its first bundle. */
export function pathOf(node: TestNode, vmId: string | number = node.vmId): string {
    return `/bootstrap/${node.role}/${vmId}`;
}
