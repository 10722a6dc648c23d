import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { StartupError } from "../../../bootstrap-server/src/errors";
import { startServer } from "../../../bootstrap-server/src/server";
import { type ExcloudStandIn, startExcloudStandIn } from "./support/excloud-stand-in";
import { Harness } from "./support/harness";

let excloud: ExcloudStandIn;
let harness: Harness;
beforeAll(async () => {
    excloud = await startExcloudStandIn();
    harness = await new Harness(excloud).start();
});
afterAll(async () => {
    await harness.stop();
    await excloud.stop();
});

async function failureOf(options: Partial<Parameters<typeof startServer>[0]>): Promise<string> {
    const error: unknown = await startServer({
        listen: { host: "127.0.0.1", port: 0 },
        dataDir: harness.dataDir,
        excloud: { iamBaseUrl: excloud.url, computeBaseUrl: excloud.url, apiKey: "", orgId: 5 },
        logLevel: "silent",
        ...options,
    }).then(
        async (server) => server.close(),
        (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(StartupError);
    return (error as StartupError).message;
}

test("a second server on one data folder is refused, and harms nothing", async () => {
    expect(await failureOf({})).toContain(`process id ${process.pid}`);
    expect((await harness.operator("/v1/vms/1")).status).toBe(404);
    expect(await readdir(join(harness.dataDir, "database.lock"))).toHaveLength(1);
});

test("a port that is taken is named, with what to do; nothing stays locked", async () => {
    const { port } = new URL(harness.server.url);
    const dataDir = join(harness.dataDir, "second");
    const listen = { host: "127.0.0.1", port: Number(port) };
    for (let round = 0; round < 2; round++) {
        const message = await failureOf({ dataDir, listen });
        expect(message).toContain(`port ${port} of 127.0.0.1 is taken`);
        expect(message).toContain("--listen");
    }
});
