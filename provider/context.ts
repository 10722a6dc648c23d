import { setTimeout as sleep } from "node:timers/promises";

import { type Call, makeClient } from "./api/client";
import { operations } from "./api/operations";
import { defaultPatience, type Patience } from "./api/retry";
import { bootstrapOperations } from "./bootstrap/operations";
import { type ServerContract, serverContract } from "./bootstrap/server-contract";
import { type ConfigReader, find, howToSet, lookUp } from "./credentials";

/** Where the bootstrap server is reached by whoever runs Pulumi. */
export interface BootstrapServer {
    operatorUrl: string;
    /** CA certificate (PEM) that signed the server's certificate; absent for a public one. */
    caPem?: string;
}

export type ExcloudApi = Call<typeof operations>;
export type BootstrapApi = Call<typeof bootstrapOperations>;

/** What handlers reach the world through. */
export interface Context {
    /** Excloud's own APIs. @throws Error when no credential is configured */
    excloud(): ExcloudApi;
    /** The operator's part of a bootstrap server. `maxRetries`: by default those of all calls. */
    bootstrap(server: BootstrapServer, maxRetries?: number): BootstrapApi;
    /** What a bootstrap server answers without a credential, as one that is being made; each call is tried once. */
    newBootstrap(server: BootstrapServer): Call<Pick<typeof bootstrapOperations, "getReadiness">>;
    /**
     * The number of the contract that a bootstrap server has, and the URL it was asked at; undefined when it does not
     * answer. What it answered once holds for all of this process.
     */
    contractOf(server: BootstrapServer): Promise<ServerContract | undefined>;
    /** Shows the user one line. */
    log(line: string): void;
    /**
     * Asks `probe` again and again, at growing intervals of at most 1 s, until it gives a value. Gives
     * undefined when `seconds` have passed; twice it is asked in any case, however long once takes.
     */
    poll<T>(seconds: number, probe: () => Promise<T | undefined>): Promise<T | undefined>;
}

/** Makes the context of a provider process. Clients are made at first use and shared after. */
export function makeContext(config: ConfigReader, patience: Patience = defaultPatience): Context {
    const clients = new Map<string, unknown>();
    const shared = <T>(key: string, make: () => T): T => {
        if (!clients.has(key)) {
            clients.set(key, make());
        }
        return clients.get(key) as T;
    };
    const urlOf = (server: BootstrapServer) => find("bootstrapUrl", config) ?? server.operatorUrl;
    return {
        excloud: () => {
            lookUp("apiKey", config);
            const baseUrls = {
                compute: lookUp("computeBaseUrl", config),
                dns: lookUp("dnsBaseUrl", config),
                iam: lookUp("iamBaseUrl", config),
            };
            return shared(JSON.stringify(baseUrls), () =>
                makeClient(operations, {
                    baseUrls,
                    token: () => lookUp("apiKey", config),
                    credentialName: howToSet("apiKey"),
                    patience,
                }),
            );
        },
        bootstrap: (server, maxRetries = patience.maxRetries) => {
            lookUp("bootstrapToken", config);
            const url = urlOf(server);
            return shared(JSON.stringify([url, server.caPem, maxRetries]), () =>
                makeClient(bootstrapOperations, {
                    baseUrls: { bootstrap: url },
                    token: () => lookUp("bootstrapToken", config),
                    credentialName: howToSet("bootstrapToken"),
                    caPem: server.caPem,
                    patience: { ...patience, maxRetries },
                }),
            );
        },
        newBootstrap: (server) =>
            makeClient(
                { getReadiness: bootstrapOperations.getReadiness },
                {
                    baseUrls: { bootstrap: urlOf(server) },
                    credentialName: howToSet("bootstrapToken"),
                    caPem: server.caPem,
                    patience: { ...patience, maxRetries: 0 },
                },
            ),
        contractOf: (server) => serverContract(urlOf(server), server.caPem),
        log: (line) => {
            process.stdout.write(`${line}\n`);
        },
        poll: async (seconds, probe) => {
            const deadline = Date.now() + seconds * 1000;
            let pauseMs = 200;
            for (let tries = 1; ; tries++) {
                const value = await probe();
                const left = deadline - Date.now();
                if (value !== undefined || (left <= 0 && tries > 1)) {
                    return value;
                }
                await sleep(Math.min(pauseMs, Math.max(left, 0)));
                pauseMs = Math.min(pauseMs * 1.5, 1_000);
            }
        },
    };
}
