import { agentOperations, factorHeaders, firstContact, type Report } from "#contract/agent";
import type { Bundle } from "#contract/bundle";
import { type Operation, pathOf } from "#contract/operation";

import { parseBundle } from "./bundle";
import type { HttpAnswer, NodeHttp } from "./node-http";
import type { BootstrapSettings } from "./user-data";

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
        const secret = verifierMode === "excloud" ? imdsToken : slotSecret;
        const answer = await this.call(firstContact, {
            params: { role, vm_id: String(vmId) },
            headers: { [factorHeaders[verifierMode]]: secret, ...bearer(accessToken) },
        });
        return parseBundle(JSON.parse(expect(answer, "the first bundle").text));
    }

    /** The node's bundle when it is another than `revision`, undefined when it is that one. */
    async changedBundle(agentToken: string, revision: string): Promise<Bundle | undefined> {
        const answer = await this.call(agentOperations.getBundle, {
            headers: { ...bearer(agentToken), "if-none-match": `"${revision}"` },
        });
        if (answer.status === 304) {
            return undefined;
        }
        return parseBundle(JSON.parse(expect(answer, "the node's bundle").text));
    }

    async report(agentToken: string, report: Report): Promise<void> {
        const answer = await this.call(agentOperations.report, {
            headers: bearer(agentToken),
            body: report,
        });
        expect(answer, `the report of phase ${report.phase}`);
    }

    /** Asks for a lease, or renews it; tells whether this node holds it now. */
    async takeLease(agentToken: string, name: string, ttlSeconds: number): Promise<boolean> {
        const answer = await this.call(agentOperations.putLease, {
            params: { name },
            headers: bearer(agentToken),
            body: { ttl_seconds: ttlSeconds },
        });
        const lease = JSON.parse(expect(answer, `the lease ${name}`).text) as { granted: boolean };
        return lease.granted;
    }

    async releaseLease(agentToken: string, name: string): Promise<void> {
        const answer = await this.call(agentOperations.deleteLease, {
            params: { name },
            headers: bearer(agentToken),
        });
        expect(answer, `releasing the lease ${name}`);
    }

    private call(operation: Operation, { params = {}, ...rest }: Request): Promise<HttpAnswer> {
        const url = this.settings.baseUrl + pathOf(operation, params);
        return this.http.call(url, { method: operation.method, ...rest });
    }
}

/** What a call of an operation carries. */
interface Request {
    readonly params?: Readonly<Record<string, string>>;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
}

function expect(answer: HttpAnswer, what: string): HttpAnswer {
    if (answer.status < 200 || answer.status > 299) {
        throw new BootstrapRefusal(what, answer);
    }
    return answer;
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
