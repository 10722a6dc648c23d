import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";

import { startPostgres, type TestPostgres } from "../../../tools/postgres/postgres";
import { isFull } from "../../support/sample";
import { type ExcloudStandIn, startExcloudStandIn } from "./support/excloud-stand-in";
import { Harness, TestCluster } from "./support/harness";
import { Load } from "./support/load";
import { ServerProcess } from "./support/server-process";

/** Bundles that are written in each test, while as many readers read. */
const bundles = isFull ? 1000 : 200;

let excloud: ExcloudStandIn;
let postgres: TestPostgres | undefined;
let servers: Harness[];
beforeEach(async () => {
    excloud = await startExcloudStandIn();
    servers = [];
});
afterEach(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await postgres?.stop();
    postgres = undefined;
    await excloud.stop();
});

const reach = async (load: Load, written: number): Promise<void> => {
    while (load.written < written) {
        await sleep(5);
    }
};

test.each(["PGlite", "PostgreSQL"])(
    "killed again and again while it writes and reads, on %s",
    async (store) => {
        if (store === "PostgreSQL") {
            postgres = await startPostgres();
        }
        const environment: Record<string, string> = postgres ? { DATABASE_URL: postgres.url } : {};
        const server = await new ServerProcess(excloud, environment).start();
        servers.push(server);
        const load = await Load.prepare(() => servers);
        const done = load.run(() => load.written >= bundles);
        const kills = (async () => {
            for (const part of [0.2, 0.5, 0.8]) {
                await reach(load, bundles * part);
                await server.kill();
                await server.start();
                await load.expectEverything();
            }
        })();
        await Promise.all([done, kills]);
        await load.expectEverything();
        expect(load.read).toBeGreaterThan(bundles / 10);
    },
);

test("the embedded database's thread ends: so does the server, and the next one has everything", async () => {
    // The thread itself gets no signal, so the process ends it at one.
    const hook = join(await mkdtemp(join(tmpdir(), "bootstrap-hook-")), "hook.cjs");
    const text = `process.on("worker", (worker) => process.once("SIGUSR2", () => worker.terminate()))`;
    await writeFile(hook, text);
    const server = new ServerProcess(excloud, { NODE_OPTIONS: `--require ${hook}` });
    servers.push(await server.start());
    const load = await Load.prepare(() => servers);
    await load.run(() => load.written >= bundles / 4);
    expect(await server.end("SIGUSR2")).toBe(1);
    expect(server.output).toContain("the embedded database ended; start the server again");
    await server.start();
    await load.expectEverything();
    await rm(dirname(hook), { recursive: true });
});

test("PostgreSQL crashes under load: the server stays and comes back by itself", async () => {
    postgres = await startPostgres();
    const server = await new ServerProcess(excloud, { DATABASE_URL: postgres.url }).start();
    servers.push(server);
    const load = await Load.prepare(() => servers);
    const done = load.run(() => load.written >= bundles);
    const crashes = (async () => {
        for (const part of [0.3, 0.6]) {
            await reach(load, bundles * part);
            await postgres?.crash();
        }
    })();
    await Promise.all([done, crashes]);
    await load.expectEverything();
    expect(server.isRunning).toBe(true);
    expect(load.failed).toBeGreaterThan(0);
});

test("of two replicas one is killed under load: the other serves all", async () => {
    postgres = await startPostgres();
    const environment = {
        DATABASE_URL: postgres.url,
        EXCLOUD_BOOTSTRAP_ENCRYPTION_KEYS: randomBytes(32).toString("base64"),
    };
    const [first, second] = [
        new ServerProcess(excloud, environment),
        new ServerProcess(excloud, environment),
    ];
    servers.push(first, second);
    await Promise.all([first.start(), second.start()]);
    let alive: Harness[] = [first, second];
    const load = await Load.prepare(() => alive);
    const done = load.run(() => load.written >= bundles);
    await reach(load, bundles / 2);
    await first.kill();
    alive = [second];
    const before = load.failed;
    await done;
    await load.expectEverything();
    // Only what was on its way to the dead one fails, at most one request of each client.
    expect(load.failed - before).toBeLessThanOrEqual(20);
});

const isRoot = process.getuid?.() === 0;
(isRoot ? test : test.skip)(
    "the disk of the embedded database is full for a while (needs root)",
    async () => {
        const disk = await mkdtemp(join(tmpdir(), "bootstrap-disk-"));
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=192m", "tmpfs", disk]);
        try {
            const dataDir = join(disk, "data");
            await mkdir(dataDir);
            const server = await new ServerProcess(excloud, {}, dataDir).start();
            servers.push(server);
            const load = await Load.prepare(() => servers);
            await load.run(() => load.written >= bundles / 4);

            const filler = join(disk, "filler");
            const { bavail, bsize } = await statfs(disk);
            await writeFile(filler, Buffer.alloc(bavail * bsize));
            const failed = load.failed;
            const full = load.run(() => load.failed > failed + 20);
            await full;
            await rm(filler);

            const written = load.written;
            await load.run(() => load.written >= written + bundles / 4);
            await load.expectEverything();
            await server.kill();
            await server.start();
            await load.expectEverything();
        } finally {
            for (const server of servers.splice(0)) {
                await server.stop();
            }
            execFileSync("umount", [disk]);
            await rm(disk, { recursive: true });
        }
    },
);

describe("the clock jumps", () => {
    const hour = 3_600_000;
    let harness: Harness;
    let cloud: ExcloudStandIn;
    beforeAll(async () => {
        cloud = await startExcloudStandIn();
        harness = await new Harness(cloud).start();
    });
    beforeEach(() => {
        harness.ahead = 0;
    });
    afterAll(async () => {
        await harness.stop();
        await cloud.stop();
    });

    test("forward and back: a closed slot stays closed", async () => {
        const { nodes } = await TestCluster.complete(harness, ["cp-1"]);
        await nodes[0]!.firstContact();
        await nodes[0]!.report("node-ready");
        harness.ahead += hour;
        expect((await nodes[0]!.firstContact()).status).toBe(401);
        harness.ahead -= 3 * hour;
        expect((await nodes[0]!.firstContact()).status).toBe(401);
        // Its agent is served by the token as ever.
        expect((await nodes[0]!.bundle()).status).toBe(200);
    });

    test("back: a lease of before does not hold longer than any may", async () => {
        const { nodes } = await TestCluster.complete(harness, ["cp-1", "worker-1"]);
        for (const node of nodes) {
            await node.firstContact();
        }
        harness.ahead += 30 * 24 * hour;
        expect((await nodes[0]!.lease("restart")).body.granted).toBe(true);
        expect((await nodes[1]!.lease("restart")).body.granted).toBe(false);
        harness.ahead = 0;
        expect((await nodes[1]!.lease("restart")).body.granted).toBe(true);
        expect((await nodes[0]!.lease("restart")).body.granted).toBe(false);
        harness.ahead += 2 * hour;
        expect((await nodes[0]!.lease("restart")).body.granted).toBe(true);
    });

    test("back: who fell silent is seen to be silent", async () => {
        const { cluster, nodes } = await TestCluster.running(harness, ["cp-1", "cp-2", "cp-3"]);
        const healthy = async () =>
            (await cluster.operator("/status")).body.nodes.map((node) => node.healthy);
        harness.ahead -= 3 * hour;
        await nodes[0]!.bundle();
        expect(await healthy()).toEqual([true, false, false]);
        await nodes[1]!.bundle();
        await nodes[2]!.bundle();
        expect(await healthy()).toEqual([true, true, true]);
    });
});
