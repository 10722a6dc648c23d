import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Agent, request } from "undici";

import { command, start } from "./support/command";
import { type ExcloudStandIn, serverApiKey, startExcloudStandIn } from "./support/excloud-stand-in";
import { Harness, TestCluster } from "./support/harness";

let excloud: ExcloudStandIn;
let folder: string;
beforeAll(async () => {
    excloud = await startExcloudStandIn();
    folder = await mkdtemp(join(tmpdir(), "bootstrap-cli-"));
});
afterAll(async () => {
    await rm(folder, { recursive: true });
    await excloud.stop();
});

async function untilThere(file: string, alive: () => boolean): Promise<string> {
    for (;;) {
        try {
            return await readFile(file, "utf8");
        } catch (error) {
            if (!alive()) {
                throw error;
            }
            await sleep(100);
        }
    }
}

test("serves, says where its files are, drains at SIGTERM and keeps its data", async () => {
    const dataDir = join(folder, "data");
    const env = {
        EXCLOUD_API_KEY: serverApiKey,
        EXCLOUD_IAM_BASE_URL: excloud.url,
        EXCLOUD_COMPUTE_BASE_URL: excloud.url,
    };
    const run = async (
        readyFile: string,
        work: (url: string, token: string, dispatcher: Agent) => Promise<void>,
    ) => {
        const args = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            dataDir,
            "--ready-file",
            readyFile,
        ];
        const { child, output, ended } = start(args, env);
        const ready = JSON.parse(await untilThere(readyFile, () => child.exitCode === null)) as {
            url: string;
            caFile: string;
            tokenFile: string;
            pid: number;
        };
        expect(ready.pid).toBe(child.pid);
        expect((await stat(ready.tokenFile)).mode & 0o777).toBe(0o600);
        const token = (await readFile(ready.tokenFile, "utf8")).trim();
        const ca = await readFile(ready.caFile, "utf8");
        const dispatcher = new Agent({ connect: { ca } });
        await work(ready.url, token, dispatcher);
        child.kill("SIGTERM");
        while (!output.text.includes("draining")) {
            await sleep(20);
        }
        const { statusCode, body } = await request(`${ready.url}/health`, { dispatcher });
        expect([statusCode, await body.json()]).toEqual([418, { status: "draining" }]);
        expect(await ended).toEqual([0, null]);
        await dispatcher.close();
        expect(output.text).toContain(ready.tokenFile);
        expect(output.text).not.toContain(token);
        expect(output.text).not.toContain(serverApiKey);
        return { token, ca };
    };
    const register = async (url: string, token: string, dispatcher: Agent) => {
        const { body } = await request(`${url}/v1/clusters`, {
            method: "POST",
            dispatcher,
            headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
            body: JSON.stringify({ key: "kept" }),
        });
        ids.push(((await body.json()) as { cluster_id: number }).cluster_id);
    };
    const ids: number[] = [];
    const before = await run(join(folder, "ready-1"), register);
    const after = await run(join(folder, "ready-2"), register);
    expect(after).toEqual(before);
    expect(ids[0]).toBeGreaterThan(0);
    expect(ids[1]).toBe(ids[0]);
});

test("names every bad value at once and ends with 1", async () => {
    const { output, ended } = start(
        ["serve", "--listen", "nowhere", "--data-dir", join(folder, "bad")],
        {
            EXCLOUD_IAM_BASE_URL: "iam",
            DATABASE_URL: "mysql://user:password@host/db",
            EXCLOUD_BOOTSTRAP_TOKEN: "short",
        },
    );
    expect((await ended)[0]).toBe(1);
    for (const name of [
        "--listen",
        "EXCLOUD_API_KEY",
        "EXCLOUD_IAM_BASE_URL",
        "DATABASE_URL",
        "EXCLOUD_BOOTSTRAP_TOKEN",
    ]) {
        expect(output.text).toContain(name);
    }
    expect(output.text).not.toMatch(/password@|"short"/);
});

test("commands ask the server of a data folder", async () => {
    const harness = await new Harness(excloud).start();
    try {
        const dataDir = ["--data-dir", harness.dataDir];
        const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1"]);
        const listed = await command("clusters", "list", ...dataDir);
        expect(listed.code).toBe(0);
        expect(listed.text).toMatch(new RegExp(`${cluster.id} +${cluster.name} +${cluster.key}`));

        await nodes[0]?.firstContact();
        const remove = ["clusters", "delete", String(cluster.id), ...dataDir];
        const refused = await command(...remove);
        expect(refused).toMatchObject({ code: 1, text: expect.stringContaining("cp-1") });
        const forced = await command(...remove, "--force");
        expect(forced).toMatchObject({ code: 0, text: expect.stringContaining("deleted") });
        const again = await command(...remove, "--force");
        expect(again).toMatchObject({
            code: 1,
            text: expect.stringContaining(`no cluster has the id ${cluster.id}`),
        });
        expect((await stat(join(harness.dataDir, "control"))).mode & 0o777).toBe(0o700);

        expect(await command("health", ...dataDir)).toEqual({ code: 0, text: "ok\n" });
        const made = await command("token", "create", "ci", "--days", "30", ...dataDir);
        const token = made.text.trim();
        expect((await harness.call("/v1/clusters", { token })).status).toBe(200);
        const tokens = await command("token", "list", ...dataDir);
        expect(tokens.text).toMatch(/^ci +20\S+Z +20\S+Z$/m);
        expect(tokens.text).not.toContain(token);
        expect((await command("token", "revoke", "ci", ...dataDir)).code).toBe(0);
        expect((await harness.call("/v1/clusters", { token })).status).toBe(401);
        const many = await command("token", "create", "x", "--days", "many", ...dataDir);
        expect(many).toMatchObject({ code: 1, text: expect.stringContaining("--days") });
    } finally {
        await harness.stop();
    }
    const none = await command("clusters", "list", "--data-dir", folder);
    expect(none).toMatchObject({ code: 1, text: expect.stringContaining("no server answers") });
});
