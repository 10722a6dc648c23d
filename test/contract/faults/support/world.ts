import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type LocalCloud, startLocalCloud } from "excloud-local";
import { CallFaults, callFaults } from "excloud-local/faults";
import fastify, { type FastifyInstance } from "fastify";

import { makeClient } from "../../../../provider/api/client";
import type { Operation } from "../../../../provider/api/operation";
import { defaultPatience, type Patience } from "../../../../provider/api/retry";
import { bootstrapOperations } from "../../../../provider/bootstrap/operations";
import { type Context, makeContext } from "../../../../provider/context";
import { ApiError } from "../../../../provider/errors";
import { type StartedServer, startServerFor } from "../../../support/bootstrap-server";
import { configOf } from "../../../support/cloud-config";

/** Everything that the providers talk to, real and in this process, with faults on demand. */
export interface World {
    readonly cloud: LocalCloud;
    /** Faults of the bootstrap server's operator API; those of the cloud are `cloud.faults`. */
    readonly bootstrapFaults: CallFaults;
    /** Reaches the world with little patience: its times are a fraction of the real ones. */
    readonly contextOf: () => Context;
    /** Names of the operations that were called; to be cleared by whoever asks. */
    readonly called: Set<string>;
    /**
     * Runs something and kills it at one of its calls: nothing that is under way then ever ends.
     *
     * @param call the number of calls that are answered before
     * @param hasEffect whether the call at which it dies is carried out
     */
    kill(run: () => Promise<unknown>, call: number, hasEffect: boolean): Promise<void>;
    close(): Promise<void>;
}

/** A second of a handler's waiting lasts this much of one. */
const haste = 0.1;

const patience: Patience = {
    ...defaultPatience,
    maxRetries: 2,
    firstPauseMs: 10,
    longestPauseMs: 20,
    silence: 1_500,
    wholeCall: 15_000,
};

/** Starts a cloud without nodes, and the bootstrap server behind a gateway that has the faults. */
export async function openWorld(): Promise<World> {
    const dir = mkdtempSync(join(tmpdir(), "faults-"));
    const cloud = await startLocalCloud({
        dir: join(dir, "cloud"),
        nodes: "none",
        delays: { creating: 5, starting: 5, stopping: 5, terminating: 5 },
    });
    const server = await startServerFor(cloud, join(dir, "server"));
    const bootstrapFaults = new CallFaults(bootstrapOperations);
    const gateway = gatewayTo(server, bootstrapFaults);
    const settings: Record<string, string> = {
        ...configOf(cloud),
        "excloud-k8s:bootstrapUrl": await gateway.listen({ host: "127.0.0.1", port: 0 }),
        "excloud-k8s:bootstrapToken": server.operatorToken,
    };
    const called = new Set<string>();
    let killer: { left: number; hasEffect: boolean; strike: () => void } | undefined;
    const noting =
        (call: unknown) =>
        async (...given: [string, ...unknown[]]) => {
            called.add(given[0]);
            const answer = () => (call as (...given: unknown[]) => Promise<unknown>)(...given);
            // Of the run that makes the call: another one may be killed before this one's last call ends.
            const own = killer;
            if (own === undefined) {
                return answer();
            }
            own.left -= 1;
            if (own.left >= 0) {
                return answer();
            }
            if (own.left === -1 && own.hasEffect) {
                await answer().catch(() => undefined);
            }
            own.strike();
            return new Promise<never>(() => undefined);
        };
    return {
        cloud,
        bootstrapFaults,
        called,
        contextOf: () => {
            const real = makeContext((key) => settings[key], patience);
            return {
                excloud: () => noting(real.excloud()) as ReturnType<Context["excloud"]>,
                bootstrap: (server, maxRetries) =>
                    noting(real.bootstrap(server, maxRetries)) as ReturnType<Context["bootstrap"]>,
                newBootstrap: (server) =>
                    noting(real.newBootstrap(server)) as ReturnType<Context["newBootstrap"]>,
                contractOf: (server) => real.contractOf(server),
                log: () => undefined,
                poll: (seconds, probe) => real.poll(seconds * haste, probe),
            };
        },
        kill: async (run, call, hasEffect) => {
            try {
                await new Promise<void>((resolve, reject) => {
                    killer = { left: call, hasEffect, strike: resolve };
                    run().then(() => resolve(), reject);
                });
            } finally {
                killer = undefined;
            }
        },
        close: async () => {
            await gateway.close();
            await server.close();
            await cloud.close();
            rmSync(dir, { recursive: true, force: true });
        },
    };
}

/** Passes the operator's calls on to the server; the faults lie in between. */
function gatewayTo(server: StartedServer, faults: CallFaults): FastifyInstance {
    const app = fastify({ forceCloseConnections: true, bodyLimit: 4 * 1024 * 1024 });
    void app.register(callFaults(faults));
    app.setErrorHandler((error, _request, reply) => {
        const status = error instanceof ApiError ? error.status || 502 : 500;
        const message = (error as Error).message;
        return reply.code(status).send({ error: { code: "gateway", message } });
    });
    const call = makeClient(bootstrapOperations, {
        baseUrls: { bootstrap: server.url },
        token: () => server.operatorToken,
        credentialName: "use the test's token",
        caPem: server.caPem,
    }) as (name: string, request: object) => Promise<unknown>;
    void app.after(() => {
        for (const [name, { method, path }] of Object.entries<Operation>(bootstrapOperations)) {
            app.route({
                method,
                url: path.replace(/\{(\w+)\}/g, ":$1"),
                handler: async ({ params, body }) =>
                    (await call(name, { ...(params as object), ...(body as object) })) ?? {},
            });
        }
    });
    return app;
}
