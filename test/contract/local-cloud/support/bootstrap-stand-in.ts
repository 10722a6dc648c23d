import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";

import type { Report } from "../../../../contract/agent";
import type { Bundle } from "../../../../contract/bundle";
import { type Authority, issue } from "../../../unit/local-cloud/support/pki";

/** One request as the stand-in saw it. */
export interface SeenRequest {
    readonly path: string;
    readonly from: string | undefined;
    readonly headers: IncomingMessage["headers"];
}

/**
 * A stand-in for the bootstrap server: gives out the bundles a test put, and keeps what nodes send.
 * It verifies nothing but the slot's secret.
 */
export class BootstrapStandIn {
    /** Bundles by VM id; until a VM has one it is refused. */
    readonly bundles = new Map<number, Bundle>();
    readonly reports = new Map<number, Report[]>();
    readonly requests: SeenRequest[] = [];
    /** Statuses to answer with before anything else, one per first contact. */
    readonly failures: number[] = [];
    leaseHolder: number | undefined;
    private constructor(
        private readonly server: Server,
        private readonly slotSecret: string,
    ) {}

    static async start(authority: Authority, slotSecret: string): Promise<BootstrapStandIn> {
        const { certificate, key } = await issue(authority, {
            commonName: "bootstrap",
            usages: ["server"],
            names: ["127.0.0.1"],
        });
        const server = createServer({ cert: certificate, key });
        const standIn = new BootstrapStandIn(server, slotSecret);
        server.on("request", (request, response) => void standIn.answer(request, response));
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        return standIn;
    }

    get url(): string {
        return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    }

    reportsOf(vmId: number): Report[] {
        return this.reports.get(vmId) ?? [];
    }

    async close(): Promise<void> {
        this.server.closeAllConnections();
        await new Promise((resolve) => this.server.close(resolve));
    }

    private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const path = request.url ?? "";
        this.requests.push({ path, from: request.socket.remoteAddress, headers: request.headers });
        const chunks: Buffer[] = [];
        for await (const chunk of request) {
            chunks.push(chunk as Buffer);
        }
        const text = Buffer.concat(chunks).toString();
        const [status, body] = path.startsWith("/bootstrap/")
            ? this.firstBundle(request, path)
            : this.agent(request, path, text === "" ? undefined : (JSON.parse(text) as unknown));
        response.writeHead(status, { "content-type": "application/json" });
        response.end(body === undefined ? "" : JSON.stringify(body));
    }

    private firstBundle(request: IncomingMessage, path: string): [number, unknown] {
        const failure = this.failures.shift();
        if (failure !== undefined) {
            return [failure, { error: { code: "bootstrap.bundle.pending" } }];
        }
        const vmId = Number(path.split("/").pop());
        const bundle = this.bundles.get(vmId);
        if (
            bundle === undefined ||
            request.headers["x-exk8s-slot-secret"] !== this.slotSecret ||
            request.headers.authorization === undefined
        ) {
            return [401, { error: { code: "bootstrap.auth.refused" } }];
        }
        return [200, { ...bundle, agent_token: `agent-${vmId}` }];
    }

    private agent(request: IncomingMessage, path: string, body: unknown): [number, unknown] {
        const vmId = Number(request.headers.authorization?.replace("Bearer agent-", ""));
        const bundle = this.bundles.get(vmId);
        if (bundle === undefined) {
            return [401, {}];
        }
        if (path === "/agent/bundle") {
            return request.headers["if-none-match"] === `"${bundle.revision}"`
                ? [304, undefined]
                : [200, bundle];
        }
        if (path === "/agent/report") {
            this.reports.set(vmId, [...this.reportsOf(vmId), body as Report]);
            return [204, undefined];
        }
        if (request.method === "DELETE") {
            this.leaseHolder = undefined;
            return [204, undefined];
        }
        this.leaseHolder ??= vmId;
        return [200, { granted: this.leaseHolder === vmId, holder: "cp", expires_at: "" }];
    }
}
