import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";

import * as app from "../../../bootstrap-server/src/app";
import {
    CallFaults,
    callFaults,
    type FaultKind,
    type LocalCloud,
    startLocalCloud,
} from "../../../local-cloud/src/index";
import { type Call, makeClient } from "../../../provider/api/client";
import { defaultPatience } from "../../../provider/api/retry";
import { bootstrapOperations } from "../../../provider/bootstrap/operations";
import { type StartedServer, startServerFor } from "../../support/bootstrap-server";

// The same faults on the bootstrap server, whose routes lie in scopes with credentials of their own.

const faults = new CallFaults(bootstrapOperations);

let dir: string;
let cloud: LocalCloud;
let server: StartedServer;
let call: Call<typeof bootstrapOperations>;

const clientWith = (token: string): Call<typeof bootstrapOperations> =>
    makeClient(bootstrapOperations, {
        baseUrls: { bootstrap: server.url },
        token: () => token,
        credentialName: "the token",
        caPem: server.caPem,
        patience: { ...defaultPatience, maxRetries: 0 },
    });

beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "bootstrap-faults-"));
    cloud = await startLocalCloud({ dir: join(dir, "cloud"), nodes: "none" });
    const { createApp } = app;
    jest.spyOn(app, "createApp").mockImplementation(async (options) => {
        const made = await createApp(options);
        await made.register(callFaults(faults));
        return made;
    });
    server = await startServerFor(cloud, join(dir, "server"));
    call = clientWith(server.operatorToken);
});
afterEach(() => faults.clear());
afterAll(async () => {
    await server?.close();
    await cloud?.close();
    rmSync(dir, { recursive: true });
});

let lastKey = 0;
const register = () => call("registerCluster", { key: `key-${++lastKey}` });

test("a refusal comes in the server's envelope, and nothing was done", async () => {
    const { cluster_id } = await register();
    const fault = faults.add({ operation: "deleteCluster", kind: "status-500" });
    await expect(call("deleteCluster", { cluster_id })).rejects.toThrow("bootstrap.internal");
    expect(fault.hits).toBe(1);
    expect((await call("getCluster", { cluster_id })).cluster_id).toBe(cluster_id);
});

test("an answer is lost, though the call was carried out", async () => {
    const { cluster_id } = await register();
    const fault = faults.add({ operation: "deleteCluster", kind: "reset-after" });
    await expect(call("deleteCluster", { cluster_id })).rejects.toThrow("got no answer");
    expect(fault.hits).toBe(1);
    await expect(call("getCluster", { cluster_id })).rejects.toThrow("404");
});

test("an answer without a body is damaged too", async () => {
    const { cluster_id } = await register();
    faults.add({ operation: "deleteCluster", kind: "cut-body" });
    await expect(call("deleteCluster", { cluster_id })).rejects.toThrow("got no answer");
    await expect(call("getCluster", { cluster_id })).rejects.toThrow("404");
});

test.each<[FaultKind, string]>([
    ["html", "the answer is not JSON"],
    ["truncated", "the answer is not JSON"],
    ["reset-before", "got no answer"],
    ["cut-body", "got no answer"],
])("%s: the client says: %s", async (kind, said) => {
    const { cluster_id } = await register();
    faults.add({ operation: "getCluster", kind });
    await expect(call("getCluster", { cluster_id })).rejects.toThrow(said);
    expect((await call("getCluster", { cluster_id })).cluster_id).toBe(cluster_id);
});

test("members of the path match, though this server keeps them as text", async () => {
    const [first, second] = [await register(), await register()];
    const match = { cluster_id: second.cluster_id };
    faults.add({ operation: "getCluster", kind: "status-503", match });
    await call("getCluster", { cluster_id: first.cluster_id });
    await expect(call("getCluster", { cluster_id: second.cluster_id })).rejects.toThrow("503");
});

test("a slow body is whole in the end", async () => {
    const { cluster_id } = await register();
    faults.add({ operation: "getCluster", kind: "slow-body" });
    expect((await call("getCluster", { cluster_id })).cluster_id).toBe(cluster_id);
});

test("clear() while a call is carried out leaves its answer alone", async () => {
    const { cluster_id } = await register();
    const fault = faults.add({ operation: "getCluster", kind: "hang-after" });
    const answer = call("getCluster", { cluster_id });
    while (fault.hits === 0) {
        await new Promise(setImmediate);
    }
    faults.clear();
    expect((await answer).cluster_id).toBe(cluster_id);
});

test("the token comes first", async () => {
    const fault = faults.add({ operation: "registerCluster", kind: "status-500" });
    const stranger = clientWith("0123456789abcdef0123456789abcdef");
    await expect(stranger("registerCluster", { key: "k" })).rejects.toThrow("401");
    expect(fault).toMatchObject({ seen: 0, hits: 0 });
});
