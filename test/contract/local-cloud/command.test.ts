import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { afterEach, beforeEach, expect, test } from "@jest/globals";

const program = path.join(__dirname, "../../../local-cloud/dist/main.js");

let dir: string;

beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), "local-cloud-"));
});
afterEach(() => {
    rmSync(dir, { recursive: true });
});

const run = (args: readonly string[]) =>
    spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });

async function endOf(child: ReturnType<typeof run>): Promise<{ code: unknown; output: string }> {
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    const [code] = (await once(child, "close")) as [unknown];
    return { code, output };
}

test("serve says where it listens and how to get in, never the key, and ends at SIGTERM", async () => {
    const readyFile = path.join(dir, "ready.json");
    const child = run(["serve", "--dir", path.join(dir, "cloud"), "--ready-file", readyFile]);
    const ended = endOf(child);
    for (let tries = 0; !existsSync(readyFile); tries++) {
        if (tries > 600) {
            throw new Error("the local cloud does not start");
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const text = readFileSync(readyFile, "utf8");
    const ready = JSON.parse(text) as Record<string, string>;
    expect(Object.keys(ready)).toEqual([
        "computeUrl",
        "dnsUrl",
        "iamUrl",
        "imdsUrl",
        "apiKeyFile",
        "pid",
    ]);
    expect(ready["pid"]).toBe(child.pid);
    const keyFile = ready["apiKeyFile"] ?? "";
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const apiKey = readFileSync(keyFile, "utf8").trim();
    const get = (what: string, bearer: string): Promise<Response> =>
        fetch(`${ready["computeUrl"]}${what}`, { headers: { authorization: `Bearer ${bearer}` } });
    expect(await (await get("/_local/inventory", apiKey)).json()).toEqual({
        vms: [],
        volumes: [],
        snapshots: [],
        reservations: [],
        securityGroups: [],
        records: [],
    });
    expect(await (await get("/_local/nodes", apiKey)).json()).toEqual([]);
    expect((await get("/_local/nodes/7/log", apiKey)).status).toBe(404);
    expect((await get("/_local/inventory", "wrong")).status).toBe(401);
    child.kill("SIGTERM");
    const { code, output } = await ended;
    expect(code).toBe(0);
    expect(`${output}${text}`).not.toContain(apiKey);
    await expect(get("/_local/nodes", apiKey)).rejects.toThrow();
});

test.each([
    [["serve"], "--dir"],
    [["serve", "--dir", "x", "--port", "65533"], "expected a port from 1 to 65532"],
])("%j is refused and says why", async (args, reason) => {
    const { code, output } = await endOf(run(args));
    expect(code).toBe(1);
    expect(output).toContain(reason);
});
