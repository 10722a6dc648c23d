import { parseBundle, type Bundle } from "./bundle";
import type { HttpAnswer, NodeHttp } from "./node-http";
import type { BootstrapSettings } from "./user-data";

/** The phases of a node's boot, in order, and `applied`, which is the agent's. */
export type Phase =
    | "userdata"
    | "bundle"
    | "install"
    | "etcd"
    | "kubelet"
    | "apiserver"
    | "node-ready"
    | "addons"
    | "applied";

/** What a node tells about one phase. */
export interface Report {
    readonly generation: string;
    readonly phase: Phase;
    readonly state: "running" | "done" | "failed";
    readonly started_at: string;
    readonly finished_at?: string;
    readonly message?: string;
    readonly log_tail?: readonly string[];
    readonly health?: Readonly<Record<string, boolean>>;
}

/** The server refused, or could not answer; asking again may help. */
export class BootstrapRefusal extends Error {
    constructor(what: string, answer: HttpAnswer) {
        super(`${what}: HTTP ${answer.status} ${codeOf(answer.text)}`.trimEnd());
        this.name = "BootstrapRefusal";
    }
}

/** The `code` of an error envelope: bodies of refusals go to a log, so no more than that is taken. */
function codeOf(text: string): string {
    return /"code"\s*:\s*"([\w.]+)"/.exec(text)?.[1] ?? "";
}

/** The bootstrap server as a node sees it. */
export class BootstrapClient {
    constructor(
        private readonly http: NodeHttp,
        private readonly settings: BootstrapSettings,
    ) {}

    /**
     * The first bundle, opened by what IMDS gave and the slot's secret.
     *
     * @throws BootstrapRefusal while the server does not give it
     */
    async firstBundle(vmId: number, imdsToken: string, accessToken: string): Promise<Bundle> {
        const { role, verifierMode, slotSecret } = this.settings;
        const factor =
            verifierMode === "excloud"
                ? { "x-exc-imds-token": imdsToken }
                : { "x-exk8s-slot-secret": slotSecret };
        const answer = await this.http.call(this.url(`/bootstrap/${role}/${vmId}`), {
            headers: { ...factor, authorization: `Bearer ${accessToken}` },
        });
        return parseBundle(JSON.parse(this.expect(answer, "the first bundle").text));
    }

    /** The node's bundle when it is another than `revision`, undefined when it is that one. */
    async changedBundle(agentToken: string, revision: string): Promise<Bundle | undefined> {
        const answer = await this.http.call(this.url("/agent/bundle"), {
            headers: { ...bearer(agentToken), "if-none-match": `"${revision}"` },
        });
        if (answer.status === 304) return undefined;
        return parseBundle(JSON.parse(this.expect(answer, "the node's bundle").text));
    }

    async report(agentToken: string, report: Report): Promise<void> {
        const answer = await this.http.call(this.url("/agent/report"), {
            method: "POST",
            headers: bearer(agentToken),
            body: report,
        });
        this.expect(answer, `the report of phase ${report.phase}`);
    }

    /** Asks for a lease, or renews it; tells whether this node holds it now. */
    async takeLease(agentToken: string, name: string, ttlSeconds: number): Promise<boolean> {
        const answer = await this.http.call(this.url(`/agent/leases/${name}`), {
            method: "PUT",
            headers: bearer(agentToken),
            body: { ttl_seconds: ttlSeconds },
        });
        const lease = JSON.parse(this.expect(answer, `the lease ${name}`).text) as {
            granted: boolean;
        };
        return lease.granted;
    }

    async releaseLease(agentToken: string, name: string): Promise<void> {
        const answer = await this.http.call(this.url(`/agent/leases/${name}`), {
            method: "DELETE",
            headers: bearer(agentToken),
        });
        this.expect(answer, `releasing the lease ${name}`);
    }

    private url(path: string): string {
        return `${this.settings.baseUrl}${path}`;
    }

    private expect(answer: HttpAnswer, what: string): HttpAnswer {
        if (answer.status < 200 || answer.status > 299) throw new BootstrapRefusal(what, answer);
        return answer;
    }
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
