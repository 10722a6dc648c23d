import { jest } from "@jest/globals";
import type { LocalCloud } from "excloud-local";

import { type RunningServer, startServer } from "../../bootstrap-server/src/server";

// An ES module that the documentation's file server loads for downloads, which it never offers.
// Node loads it by require; jest's module loader cannot.
jest.mock("content-disposition", () => ({}));

/** A server on a new data folder, which has a first operator token. */
export type StartedServer = RunningServer & { operatorToken: string };

/** Starts a bootstrap server in this process that takes a local cloud for Excloud. */
export async function startServerFor(cloud: LocalCloud, dataDir: string): Promise<StartedServer> {
    const server = await startServer({
        listen: { host: "127.0.0.1", port: 0 },
        dataDir,
        excloud: {
            iamBaseUrl: cloud.iamUrl,
            computeBaseUrl: cloud.computeUrl,
            apiKey: cloud.apiKey,
        },
        logLevel: "silent",
    });
    const { operatorToken } = server;
    if (operatorToken === undefined) {
        throw new Error("a new data folder has a first token");
    }
    return { ...server, operatorToken };
}
