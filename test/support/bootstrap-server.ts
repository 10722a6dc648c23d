import { jest } from "@jest/globals";
import type { LocalCloud } from "excloud-local";

import { startServer, type RunningServer } from "../../bootstrap-server/src/server";

// An ES module that the documentation's file server loads for downloads, which it never offers.
// Node loads it by require; jest's module loader cannot.
jest.mock("content-disposition", () => ({}));

/** Starts a bootstrap server in this process that takes a local cloud for Excloud. */
export function startServerFor(cloud: LocalCloud, dataDir: string): Promise<RunningServer> {
    return startServer({
        listen: { host: "127.0.0.1", port: 0 },
        dataDir,
        excloud: {
            iamBaseUrl: cloud.iamUrl,
            computeBaseUrl: cloud.computeUrl,
            apiKey: cloud.apiKey,
        },
        logLevel: "silent",
    });
}
