import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";

import type { Bundle } from "#contract/bundle";

const port = 6443;

/** What the API server answers from. */
export interface ApiServerHealth {
    /** Whether the node is up with a correct bundle and etcd has a quorum. */
    ready(): boolean;
    /** The bundle's Kubernetes version, such as `v1.35.3`. */
    version(): string;
}

/**
 * The front of a simulated kube-apiserver: TLS with the node's own certificate at the node's own
 * addresses, and the three paths that need no objects behind them.
 */
export class SimulatedApiServer {
    private readonly servers: Server[] = [];

    constructor(
        private readonly addresses: readonly string[],
        private readonly health: ApiServerHealth,
    ) {}

    get listening(): boolean {
        return this.servers.length > 0;
    }

    /** Listens, or goes on with another certificate. */
    async serve(bundle: Bundle): Promise<void> {
        const identity = {
            cert: bundle.files["/etc/exk8s/pki/apiserver.pem"] ?? "",
            key: bundle.files["/etc/exk8s/pki/apiserver-key.pem"] ?? "",
        };
        if (this.listening) {
            for (const server of this.servers) {
                server.setSecureContext(identity);
            }
            return;
        }
        for (const address of this.addresses) {
            const server = createServer(identity, (request, response) =>
                this.answer(request, response),
            );
            await new Promise<void>((resolve, reject) => {
                server.once("error", reject);
                server.listen(port, address, resolve);
            });
            this.servers.push(server);
        }
    }

    async close(): Promise<void> {
        await Promise.all(
            this.servers.splice(0).map(
                (server) =>
                    new Promise<void>((resolve) => {
                        server.close(() => resolve());
                        server.closeAllConnections();
                    }),
            ),
        );
    }

    private answer(request: IncomingMessage, response: ServerResponse): void {
        const [status, type, body] = this.respond(request.url?.split("?")[0] ?? "/");
        response.writeHead(status, { "content-type": type });
        response.end(body);
    }

    private respond(path: string): [number, string, string] {
        switch (path) {
            case "/livez":
                return [200, "text/plain", "ok"];
            case "/readyz":
                return this.health.ready()
                    ? [200, "text/plain", "ok"]
                    : [500, "text/plain", "not ready"];
            case "/version":
                return [
                    200,
                    "application/json",
                    JSON.stringify({ gitVersion: `${this.health.version()}+simulated` }),
                ];
            default:
                return [
                    404,
                    "application/json",
                    JSON.stringify({
                        kind: "Status",
                        apiVersion: "v1",
                        status: "Failure",
                        message: "a simulated node holds no objects",
                        reason: "NotFound",
                        code: 404,
                    }),
                ];
        }
    }
}
