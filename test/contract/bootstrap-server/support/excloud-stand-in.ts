import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A stand-in for Excloud's IAM and computeapi, of the two calls the server makes. It answers what a
 * test wrote into it; nothing else of the cloud is imitated.
 */
export interface ExcloudStandIn {
    url: string;
    /** Answer of `GET /me` by token; other tokens get 401. */
    principals: Map<string, unknown>;
    /** Answer of `GET /compute/{vm_id}` by VM id; other VMs get 404. */
    vms: Map<number, unknown>;
    /** Status that every call gets instead, while set. */
    outage: number | undefined;
    /** Calls so far, `GET /me` and so on. */
    calls: string[];
    stop(): Promise<void>;
}

/** The server's own credential at the stand-in. */
export const serverApiKey = "server-api-key";
/** The organisation of that credential. */
export const orgId = 5;

/** Starts the stand-in on loopback. */
export async function startExcloudStandIn(): Promise<ExcloudStandIn> {
    const state = {
        principals: new Map<string, unknown>([
            [serverApiKey, { org_id: orgId, account_id: 1, kind: "user" }],
        ]),
        vms: new Map<number, unknown>(),
        outage: undefined as number | undefined,
        calls: [] as string[],
    };
    const answerTo = (path: string, token: string): [number, unknown] => {
        if (state.outage !== undefined) {
            return [state.outage, { error: "outage" }];
        }
        const principal = state.principals.get(token);
        if (principal === undefined) {
            return [401, { error: "unauthorized" }];
        }
        if (path === "/me") {
            return [200, principal];
        }
        const vm = token === serverApiKey && state.vms.get(Number(path.replace("/compute/", "")));
        return vm ? [200, vm] : [404, { error: "could not find instance" }];
    };
    const server = createServer((request, response) => {
        state.calls.push(`${request.method} ${request.url}`);
        const token = (request.headers.authorization ?? "").replace("Bearer ", "");
        const [status, body] = answerTo(request.url ?? "", token);
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return Object.assign(state, {
        url: `http://127.0.0.1:${port}`,
        async stop() {
            server.closeAllConnections();
            server.close();
            await once(server, "close");
        },
    });
}
