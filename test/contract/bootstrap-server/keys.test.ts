import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { askServer } from "../../../bootstrap-server/src/control/client";
import { dataPaths } from "../../../bootstrap-server/src/data-dir";
import type { RotationStep } from "../../../bootstrap-server/src/service/rotate-key";
import { command } from "./support/command";
import { type ExcloudStandIn, startExcloudStandIn } from "./support/excloud-stand-in";
import { Harness, TestCluster, textFiles } from "./support/harness";
import { startStore, stores, type TestStore } from "./support/stores";

const many = 450;

describe.each(stores)("rotation of the encryption key on %s", (store) => {
    let excloud: ExcloudStandIn;
    let place: TestStore;
    let dataDir: string;
    beforeAll(async () => {
        excloud = await startExcloudStandIn();
        place = await startStore(store);
        dataDir = await mkdtemp(join(tmpdir(), "bootstrap-keys-"));
    });
    afterAll(async () => {
        await rm(dataDir, { recursive: true });
        await place.stop();
        await excloud.stop();
    });

    const startServer = () =>
        new Harness(excloud, {
            dataDir,
            ...place.options,
        }).start();

    test("seals all contents anew, in steps that can be cut off, until the old key can go", async () => {
        const first = await startServer();
        const { cluster, nodes } = await TestCluster.running(first, ["cp-1"]);
        const files = Object.fromEntries(
            Array.from({ length: many }, (_, n) => [`/etc/file-${n}`, `text ${n}`]),
        );
        await cluster.operator("/pools/worker/files", {
            method: "PUT",
            body: { role: "worker", slots: [], files: textFiles(files) },
        });
        await first.stop();

        const keyFile = dataPaths(dataDir).encryptionKey;
        const oldKey = (await readFile(keyFile, "utf8")).trim();
        const newKey = randomBytes(32).toString("base64");
        await writeFile(keyFile, `${newKey}\n${oldKey}\n`);

        const second = await startServer();
        const step = await askServer<RotationStep>(dataDir, {
            method: "POST",
            path: "/local/rotate-key",
        });
        expect(step).toMatchObject({ resealed: 200, left: many + 2 - 200, unneeded: [] });
        await second.stop();

        // Cut off there: both keys are needed.
        await writeFile(keyFile, `${newKey}\n`);
        await expect(startServer()).rejects.toThrow("which is not configured");
        await writeFile(keyFile, `${newKey}\n${oldKey}\n`);

        // A server that was not restarted yet forgets no key that it does not know.
        const third = await startServer();
        await third.server.db
            .insertInto("bootstrap_keys")
            .values({ key_id: "newer", created_at: "2030-01-01T00:00:00Z" })
            .execute();
        const { code, text } = await command("rotate-key", "--data-dir", dataDir);
        expect(code).toBe(0);
        expect(text).toMatch(/key [0-9a-f]{16} is not needed any more/);
        expect(text).not.toContain("newer");
        const removed = third.server.db.deleteFrom("bootstrap_keys").where("key_id", "=", "newer");
        expect((await removed.executeTakeFirst()).numDeletedRows).toBe(1n);
        await third.stop();

        await writeFile(keyFile, `${newKey}\n`);
        const fourth = await startServer();
        try {
            const answer = await nodes[0]?.bundle(undefined, fourth);
            expect(answer?.body.files["/etc/role"]).toBe("role 1");
            const again = await command("rotate-key", "--data-dir", dataDir);
            expect(again.text).toContain("0 were sealed anew");
        } finally {
            await fourth.stop();
        }
    });
});
