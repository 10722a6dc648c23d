import { chown, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { create } from "tar";

import { command } from "./support/command";
import { type ExcloudStandIn, startExcloudStandIn } from "./support/excloud-stand-in";
import { Harness, TestCluster } from "./support/harness";

let excloud: ExcloudStandIn;
let folder: string;
beforeAll(async () => {
    excloud = await startExcloudStandIn();
    folder = await mkdtemp(join(tmpdir(), "bootstrap-backup-"));
});
afterAll(async () => {
    await rm(folder, { recursive: true });
    await excloud.stop();
});

const inFolder = (name: string) => join(folder, name);

/** Saves a data folder and makes another one of it. */
async function saveAndRestore(dataDir: string, name: string): Promise<string> {
    const file = inFolder(`${name}.tgz`);
    expect(await command("backup", file, "--data-dir", dataDir)).toMatchObject({ code: 0 });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const restored = inFolder(name);
    expect(await command("restore", file, "--data-dir", restored)).toMatchObject({ code: 0 });
    return restored;
}

test("a backup holds all that a server needs, of one that runs and of one that was stopped", async () => {
    const dataDir = inFolder("original");
    const original = await new Harness(excloud, { dataDir }).start();
    const { nodes } = await TestCluster.running(original, ["cp-1"]);
    const [node] = nodes;

    // Others write meanwhile: what is saved is one moment all the same.
    let done = false;
    const writers = Promise.all(
        [1, 2].map(async () => {
            for (; !done;) {
                await TestCluster.register(original);
            }
        }),
    );
    const whileRunning = await saveAndRestore(dataDir, "while-running");
    done = true;
    await writers;
    const { operatorToken, caPem } = original.server;
    await original.stop();
    const whileStopped = await saveAndRestore(dataDir, "while-stopped");

    for (const restored of [whileRunning, whileStopped]) {
        const server = await new Harness(excloud, { dataDir: restored }).start();
        try {
            expect(server.server).toMatchObject({ operatorToken, caPem });
            const { status, body } = (await node?.bundle(undefined, server)) ?? {};
            expect([status, body?.files["/etc/role"]]).toEqual([200, "role 1"]);
            expect(JSON.stringify(await readdir(join(restored, "tls")))).toContain("ca.key");
            expect((await stat(restored)).mode & 0o777).toBe(0o700);
        } finally {
            await server.stop();
        }
    }
});

test("nothing is written over, and nothing but a backup is taken", async () => {
    const dataDir = inFolder("kept");
    const server = await new Harness(excloud, { dataDir }).start();
    await server.stop();
    const file = inFolder("kept.tgz");
    expect((await command("backup", file, "--data-dir", dataDir)).code).toBe(0);
    expect(await command("restore", file, "--data-dir", dataDir)).toMatchObject({
        code: 1,
        text: expect.stringContaining("is not empty"),
    });

    const target = inFolder("nothing");
    await writeFile(inFolder("text"), "no archive");
    await create({ file: inFolder("other.tgz"), cwd: folder, gzip: true }, ["text"]);
    for (const name of ["text", "other.tgz", "missing"]) {
        expect(await command("restore", inFolder(name), "--data-dir", target)).toMatchObject({
            code: 1,
            text: expect.stringContaining("is no backup"),
        });
    }
    expect(await command("backup", inFolder("x"), "--data-dir", folder)).toMatchObject({
        code: 1,
        text: expect.stringContaining("is no data folder"),
    });
    expect(await readdir(target)).toEqual([]);
    expect((await readdir(folder)).filter((name) => /^x|part/.test(name))).toEqual([]);
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot(
    "what root restores belongs to the folder's owner, who may have it as a volume",
    async () => {
        const dataDir = inFolder("of-root");
        const server = await new Harness(excloud, { dataDir }).start();
        await server.stop();
        const file = inFolder("of-root.tgz");
        await command("backup", file, "--data-dir", dataDir);

        const volume = inFolder("volume");
        await mkdir(volume, { mode: 0o700 });
        await chown(volume, 65534, 65534);
        const { ino } = await stat(volume);
        expect((await command("restore", file, "--data-dir", volume)).code).toBe(0);
        expect((await stat(volume)).ino).toBe(ino);
        for (const name of ["tls/ca.key", "database", "encryption-key"]) {
            const { uid, gid, mode } = await stat(join(volume, name));
            expect([name, uid, gid, mode & 0o077]).toEqual([name, 65534, 65534, 0]);
        }
        expect((await stat(join(volume, "database", "PG_VERSION"))).uid).toBe(65534);
        expect((await readdir(volume)).sort()).toEqual([
            "database",
            "encryption-key",
            "operator-token",
            "tls",
        ]);
    },
);
