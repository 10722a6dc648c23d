import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { installKept } from "../../kept/packages";
import { type ExcloudStandIn, startExcloudStandIn } from "./support/excloud-stand-in";
import { newVmId, TestCluster, TestNode, textFiles } from "./support/harness";
import { ServerProcess } from "./support/server-process";
import { startStore, stores, type TestStore } from "./support/stores";

// The server of 0.1 runs, is filled, and is upgraded: what it kept goes on, and its programs are served.

const folder = mkdtempSync(join(tmpdir(), "former-"));
let former: string;
beforeAll(async () => {
    former = (await installKept("v0.1", folder))["excloud-k8s-bootstrap"];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As programs of 0.1 put the files of a role. */
const putRoleFiles = (cluster: TestCluster, role: string, slots: string[], text: string) => {
    cluster.roleText = text;
    const body = { slots, files: textFiles({ "/etc/role": text }) };
    return cluster.operator(`/roles/${role}/files`, { method: "PUT", body });
};

describe.each(stores)("on %s", (store) => {
    let excloud: ExcloudStandIn;
    let database: TestStore;
    let server: ServerProcess;
    let cluster: TestCluster;
    let controlPlane: TestNode;
    let worker: TestNode;

    beforeAll(async () => {
        excloud = await startExcloudStandIn();
        database = await startStore(store);
        const { databaseUrl } = database.options;
        server = new ServerProcess(
            excloud,
            databaseUrl === undefined ? {} : { EXCLOUD_BOOTSTRAP_DATABASE_URL: databaseUrl },
        );
        server.package = former;
        await server.start();
        cluster = await TestCluster.register(server);
        for (const slot of ["cp-1", "worker-1"]) {
            await cluster.putSlot(slot);
        }
        await putRoleFiles(cluster, "control-plane", ["cp-1"], "role 1");
        await putRoleFiles(cluster, "worker", ["worker-1"], "role 1");
        controlPlane = await cluster.bind("cp-1", "10.0.0.1");
        worker = await cluster.bind("worker-1", "10.0.0.2");
        for (const node of [controlPlane, worker]) {
            const { body } = await node.firstContact();
            await node.report("etcd");
            await node.report("node-ready");
            await node.applied(body.generation);
        }
    });
    afterAll(async () => {
        await server?.stop();
        await database?.stop();
        await excloud?.stop();
    });

    test("0.1 tells no number", async () => {
        const { body, headers } = await server.call("/ready");
        expect([body, headers["x-exk8s-contract"]]).toEqual([{ status: "ready" }, undefined]);
    });

    test("after the upgrade its agents are served what they had, workers as peers apart", async () => {
        const before = (await controlPlane.bundle()).body;
        await server.upgrade();
        const after = (await controlPlane.bundle()).body;
        const { peers: _, revision: __, ...same } = before;
        expect(after).toMatchObject(same);
        expect(after.peers.map(({ name }) => name)).toEqual([
            `cp-1.cluster-${cluster.id}.internal`,
        ]);
        expect((await worker.bundle()).body.files).toEqual({
            "/etc/role": "role 1",
            "/etc/node": "node worker-1",
        });
    });

    test("the files of its roles are those of their one pool", async () => {
        for (const [pool, role, slot] of [
            ["cp", "control-plane", "cp-1"],
            ["worker", "worker", "worker-1"],
        ] as const) {
            const { body } = await cluster.operator(`/pools/${pool}/files`);
            expect(body).toMatchObject({ pool, role, slots: [slot], max_unavailable: null });
            const formerly = (await cluster.operator(`/roles/${role}/files`)).body;
            expect(formerly).toEqual({ role, slots: [slot], digests: body.digests });
        }
    });

    test("a program of 0.1 still changes its cluster", async () => {
        expect((await putRoleFiles(cluster, "control-plane", ["cp-1"], "role 2")).status).toBe(200);
        const bundle = cluster.bundleBody("cp-1", controlPlane.vmId);
        expect((await cluster.putBundle("cp-1", bundle)).status).toBe(200);
        const served = (await controlPlane.bundle()).body;
        expect([served.generation, served.files["/etc/role"]]).toEqual([
            bundle.generation,
            "role 2",
        ]);
        const gone = await cluster.operator("/roles/worker/files", { method: "DELETE" });
        expect(gone.status).toBe(204);
        expect((await cluster.operator("/pools/worker/files")).status).toBe(404);
    });

    test("a program of today changes it too", async () => {
        await controlPlane.applied((await controlPlane.bundle()).body.generation);
        await cluster.putPoolFiles("cp", ["cp-1"], "pool 3");
        const vm = new TestNode(cluster, "cp-1", newVmId());
        const { status } = await cluster.putBundle("cp-1", cluster.bundleBody("cp-1", vm.vmId));
        expect(status).toBe(200);
        expect((await cluster.operator("/pools/cp/files")).body.digests).toBeDefined();
    });
});
