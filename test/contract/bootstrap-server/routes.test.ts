import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";

import {
    type ExcloudStandIn,
    orgId,
    serverApiKey,
    startExcloudStandIn,
} from "./support/excloud-stand-in";
import { expectGolden } from "./support/golden";
import { Harness, newVmId, slotSecret, TestCluster, textFiles } from "./support/harness";
import { startStore, stores, type TestStore } from "./support/stores";

const minute = 60_000;
const threeControlPlanes = ["cp-1", "cp-2", "cp-3"];

/**
 * Every route over HTTPS on loopback, on both stores. Excloud's IAM and computeapi are a small
 * stand-in, so this does not prove what the cloud answers.
 */
describe.each(stores)("routes on %s", (store) => {
    let excloud: ExcloudStandIn;
    let place: TestStore;
    let harness: Harness;

    beforeAll(async () => {
        excloud = await startExcloudStandIn();
        place = await startStore(store);
        harness = await new Harness(excloud, place.options).start();
    });
    afterAll(async () => {
        await harness.stop();
        await place.stop();
        await excloud.stop();
    });

    describe("service", () => {
        test("health and documentation need no token", async () => {
            expect((await harness.call("/health")).body).toEqual({ status: "ok" });
            const { status, body } = await harness.call("/openapi.json");
            expect([status, body.openapi]).toEqual([200, "3.1.0"]);
            const paths = body.paths;
            const routes = Object.keys(paths).flatMap((path) =>
                Object.keys(paths[path] ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
            );
            await expectGolden("routes", routes.sort().join("\n"));
        });

        test("an unknown route and a malformed body get the error body", async () => {
            expect(await harness.operator("/v1/nothing")).toMatchObject({
                status: 404,
                body: { error: { code: "bootstrap.route.not_found" } },
            });
            const body = { key: "k", surprise: 1 };
            const answer = await harness.operator("/v1/clusters", { method: "POST", body });
            expect(answer).toMatchObject({
                status: 400,
                body: { error: { code: "bootstrap.request.invalid" } },
            });
            expect(answer.body.error.request_id).toMatch(/^[0-9a-f-]{36}$/);
        });

        test.each([undefined, "wrong", `${"x".repeat(43)}`])(
            "operator routes refuse the token %s",
            async (token) => {
                const answer = await harness.call("/v1/vms/1", { token });
                expect(answer).toMatchObject({
                    status: 401,
                    body: { error: { code: "bootstrap.operator.unauthorized" } },
                });
            },
        );
    });

    describe("clusters", () => {
        test("registration is idempotent by key until a slot was bound", async () => {
            const cluster = await TestCluster.register(harness);
            expect(cluster.name).toBe(`exk8s-${orgId}-${cluster.id.toString(16)}`);
            const again = await TestCluster.register(harness, cluster.key);
            expect(again.id).toBe(cluster.id);

            await cluster.putSlot("cp-1");
            await cluster.putPoolFiles("cp", ["cp-1"]);
            await cluster.bind("cp-1");
            await cluster.operator("/nodes/cp-1/bundle", { method: "DELETE" });
            const body = { key: cluster.key };
            const answer = await harness.operator("/v1/clusters", { method: "POST", body });
            expect(answer).toMatchObject({
                status: 409,
                body: { error: { code: "bootstrap.cluster.in_use" } },
            });
            expect(answer.body.error.message).toContain(cluster.key);
            expect(answer.body.error.message).toMatch(/since \d{4}-\d\d-\d\dT/);
        });

        test("registrations of one key that race make one cluster", async () => {
            const key = `race/${newVmId()}`;
            const all = await Promise.all(
                [1, 2, 3, 4].map(() => TestCluster.register(harness, key)),
            );
            expect(new Set(all.map(({ id }) => id)).size).toBe(1);
        });

        test("a cluster is read and deleted with all that belongs to it", async () => {
            const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1"]);
            expect(await cluster.operator("")).toMatchObject({
                status: 200,
                body: {
                    cluster_id: cluster.id,
                    org_id: orgId,
                    project_id: 1,
                    key: cluster.key,
                    mode: "selfHosted",
                    etcd_state: "unfounded",
                },
            });
            expect((await cluster.operator("", { method: "DELETE" })).status).toBe(204);
            expect((await cluster.operator("", { method: "DELETE" })).status).toBe(404);
            expect((await cluster.operator("")).body.error.code).toBe(
                "bootstrap.cluster.not_found",
            );
            expect((await harness.operator(`/v1/vms/${nodes[0]?.vmId}`)).status).toBe(404);
            const left = await sql<{ n: number }>`SELECT count(*)::int AS n FROM bootstrap_contents
                WHERE kubecluster_id = ${cluster.id}`.execute(harness.server.db);
            expect(left.rows).toEqual([{ n: 0 }]);
        });
    });

    describe("clusters without an owner", () => {
        test("a list of clusters tells how many nodes they have, and when one was heard of", async () => {
            const empty = await TestCluster.register(harness);
            const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1", "worker-1"]);
            await cluster.putSlot("worker-2");
            await nodes[0]?.firstContact();
            const { status, body } = await harness.operator("/v1/clusters");
            expect(status).toBe(200);
            const of = (id: number) => body.clusters.find((one) => one.cluster_id === id);
            expect(of(empty.id)).toMatchObject({ slots: 0, bound: 0, last_seen_at: null });
            expect(of(cluster.id)).toMatchObject({ key: cluster.key, slots: 3, bound: 2 });
            expect(of(cluster.id)?.last_seen_at).toMatch(/^\d{4}-\d\d-\d\dT/);
        });

        test("only silent ones are deleted, where that is asked for", async () => {
            const { cluster } = await TestCluster.running(harness, ["cp-1"]);
            const deletion = () => cluster.operator("?only_silent=true", { method: "DELETE" });
            const refused = await deletion();
            expect(refused).toMatchObject({
                status: 409,
                body: { error: { code: "bootstrap.cluster.alive" } },
            });
            expect(refused.body.error.message).toContain("cp-1");
            expect((await cluster.operator("")).status).toBe(200);
            harness.ahead += 6 * minute;
            try {
                expect((await deletion()).status).toBe(204);
            } finally {
                harness.ahead -= 6 * minute;
            }
            expect((await TestCluster.register(harness, cluster.key)).id).not.toBe(cluster.id);
        });
    });

    describe("slots, pool files, bundles", () => {
        test("a slot is put, read, deleted", async () => {
            const cluster = await TestCluster.register(harness);
            const slot = {
                cluster_id: cluster.id,
                slot: "cp-1",
                role: "control-plane",
                node_name: `cp-1.cluster-${cluster.id}.internal`,
                vm_id: null,
                bound_vm_ids: [],
                armed: false,
            };
            expect(await cluster.putSlot("cp-1")).toMatchObject({ status: 200, body: slot });
            expect((await cluster.operator("/nodes/cp-1")).body).toEqual(slot);
            expect((await cluster.operator("/nodes/cp-1", { method: "DELETE" })).status).toBe(204);
            expect(await cluster.operator("/nodes/cp-1")).toMatchObject({
                status: 404,
                body: { error: { code: "bootstrap.slot.not_found" } },
            });
        });

        test("a slot of another name than its node or role is refused", async () => {
            const cluster = await TestCluster.register(harness);
            const body = {
                role: "worker",
                node_name: `cp-1.cluster-${cluster.id}.internal`,
                secret_sha256: "0".repeat(64),
            };
            const put = (more: object) =>
                cluster.operator("/nodes/cp-1", { method: "PUT", body: { ...body, ...more } });
            expect((await put({})).body.error.code).toBe("bootstrap.slot.invalid");
            const other = { role: "control-plane", node_name: "cp-2.cluster-1.internal" };
            expect((await put(other)).body.error.code).toBe("bootstrap.slot.invalid");
        });

        test("pool files are put, read without contents, deleted", async () => {
            const cluster = await TestCluster.register(harness);
            const put = await cluster.putPoolFiles("cp", ["cp-1"]);
            expect(put).toMatchObject({ status: 200, body: { role: "control-plane" } });
            const url = "/pools/cp/files";
            const read = await cluster.operator(url);
            expect(read.body).toEqual(put.body);
            expect(JSON.stringify(read.body)).not.toContain(cluster.roleText);
            expect((await cluster.operator(url, { method: "DELETE" })).status).toBe(204);
            expect((await cluster.operator(url)).body.error.code).toBe(
                "bootstrap.pool_files.not_found",
            );
        });

        test.each(["relative", "/a/../b", "/a//b", "/", "/a/"])(
            "the path %s is refused",
            async (path) => {
                const cluster = await TestCluster.register(harness);
                const body = { slots: ["cp-1"], files: textFiles({ [path]: "x" }) };
                const url = "/pools/cp/files";
                expect((await cluster.operator(url, { method: "PUT", body })).status).toBe(400);
            },
        );

        test("contents lie sealed in the database", async () => {
            const { cluster } = await TestCluster.complete(harness, ["cp-1"]);
            const { rows } = await sql<{ sealed: Uint8Array }>`SELECT sealed
                FROM bootstrap_contents WHERE kubecluster_id = ${cluster.id}`.execute(
                harness.server.db,
            );
            expect(rows).toHaveLength(2);
            for (const { sealed } of rows) {
                expect(Buffer.from(sealed).toString("latin1")).not.toMatch(/role|node/);
            }
        });

        test("a bundle binds its VM and is read back as digests", async () => {
            const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1"]);
            const vmId = nodes[0]?.vmId;
            const read = await cluster.operator("/nodes/cp-1/bundle");
            expect(read).toMatchObject({ status: 200, body: { slot: "cp-1", vm_id: vmId } });
            expect(Object.keys(read.body.digests)).toEqual(["/etc/node", "/etc/role"]);
            expect((await harness.operator(`/v1/vms/${vmId}`)).body).toEqual({
                vm_id: vmId,
                cluster_id: cluster.id,
                cluster_name: cluster.name,
                slot: "cp-1",
            });
            await cluster.operator("/nodes/cp-1/bundle", { method: "DELETE" });
            expect((await cluster.operator("/nodes/cp-1/bundle")).body.error.code).toBe(
                "bootstrap.bundle.not_found",
            );
            expect((await cluster.operator("/nodes/cp-1")).body.vm_id).toBeNull();
        });

        test("a bundle with a digest that is not held changes nothing", async () => {
            const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1"]);
            const before = (await cluster.operator("/nodes/cp-1/bundle")).body;
            cluster.roleText = "role 2, not put";
            const body = cluster.bundleBody("cp-1", nodes[0]?.vmId ?? 0);
            const answer = await cluster.putBundle("cp-1", body);
            expect(answer).toMatchObject({
                status: 422,
                body: { error: { code: "bootstrap.bundle.incomplete" } },
            });
            expect(answer.body.error.message).toContain("/etc/role");
            expect((await cluster.operator("/nodes/cp-1/bundle")).body).toEqual(before);
        });

        test("a node cannot be given contents of another pool", async () => {
            const cluster = await TestCluster.register(harness);
            await cluster.putSlot("worker-1");
            await cluster.putPoolFiles("cp", ["cp-1"], "authority");
            const answer = await cluster.putBundle("worker-1", cluster.bundleBody("worker-1", 1));
            expect(answer.body.error.code).toBe("bootstrap.bundle.incomplete");
        });

        test("a generation that is not the manifest's is refused", async () => {
            const { cluster } = await TestCluster.complete(harness, ["cp-1"]);
            const body = { ...cluster.bundleBody("cp-1", newVmId()), generation: "0".repeat(64) };
            const answer = await cluster.putBundle("cp-1", body);
            expect([answer.status, answer.body.error.code]).toEqual([
                422,
                "bootstrap.bundle.generation_mismatch",
            ]);
        });

        test("a VM fills one slot only", async () => {
            const first = await TestCluster.complete(harness, ["cp-1"]);
            const second = await TestCluster.complete(harness, ["cp-1"]);
            const body = second.cluster.bundleBody("cp-1", first.nodes[0]?.vmId ?? 0);
            const answer = await second.cluster.putBundle("cp-1", body);
            expect([answer.status, answer.body.error.code]).toEqual([
                409,
                "bootstrap.vm.bound_elsewhere",
            ]);
        });

        test("contents that nothing names any more are deleted", async () => {
            const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1"]);
            const count = async () =>
                (
                    await sql<{ n: number }>`SELECT count(*)::int AS n FROM bootstrap_contents
                        WHERE kubecluster_id = ${cluster.id}`.execute(harness.server.db)
                ).rows[0]?.n;
            expect(await count()).toBe(2);
            await cluster.putPoolFiles("cp", ["cp-1"], "role 2");
            expect(await count()).toBe(3);
            await cluster.putBundle("cp-1", cluster.bundleBody("cp-1", nodes[0]?.vmId ?? 0));
            expect(await count()).toBe(2);
        });
    });

    describe("first contact", () => {
        test("serves the frozen shape of a bundle", async () => {
            const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1", "worker-1"]);
            const [controlPlane, worker] = nodes;
            if (!controlPlane) {
                throw new Error("no node");
            }
            const { status, body } = await controlPlane.firstContact();
            expect(status).toBe(200);
            const stable = JSON.stringify(body, null, 1)
                .replaceAll(String(cluster.id), "<id>")
                .replaceAll(cluster.name, "<name>")
                .replace(body.revision, "<revision>")
                .replace(body.agent_token, "<token>");
            await expectGolden("bundle", stable);
            expect(body.agent_token).toMatch(/^[A-Za-z0-9_-]{43}$/);
            const workers = (await worker?.firstContact())?.body;
            expect(workers?.etcd).toBeUndefined();
            expect(workers?.peers).toEqual(body.peers);
        });

        test("every refusal is one answer, and the operator sees why", async () => {
            const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1"]);
            const node = nodes[0];
            if (!node) {
                throw new Error("no node");
            }
            const own = { org_id: orgId, kind: "machine" };
            excloud.principals.set("a-user", { ...own, kind: "user" });
            excloud.principals.set("other-org", { ...own, org_id: 6 });
            excloud.principals.set("other-vm", { ...own, vm_id: node.vmId + 1 });
            const path = (role: string, vm: unknown) => ({
                path: `/bootstrap/${role}/${String(vm)}`,
            });
            const cases: [string, { path?: string } & Parameters<typeof node.firstContact>[0]][] = [
                ["missing_factor", { headers: {} }],
                ["missing_factor", { token: undefined }],
                ["slot_secret_mismatch", { headers: { "x-exk8s-slot-secret": "guess" } }],
                [
                    "slot_secret_mismatch",
                    { headers: { "x-exk8s-slot-secret": slotSecret("cp-2") } },
                ],
                ["access_token_rejected", { token: "unknown" }],
                ["not_a_machine", { token: "a-user" }],
                ["other_organisation", { token: "other-org" }],
                ["other_vm", { token: "other-vm" }],
                ["source_address_mismatch", { from: "127.0.0.2" }],
                [
                    "source_address_mismatch",
                    {
                        from: "127.0.0.2",
                        headers: { ...node.factors, "x-forwarded-for": "127.0.0.1" },
                    },
                ],
                ["other_role", path("worker", node.vmId)],
                ["slot_secret_mismatch", path("control-plane", 999_999)],
                ["malformed_request", path("control-plane", "1e3")],
                ["other_role", path("anything", node.vmId)],
            ];
            const bodies = new Set<string>();
            for (const [reason, { path: url, ...call }] of cases) {
                const answer = url
                    ? await harness.call(url, { token: node.accessToken, headers: node.factors })
                    : await node.firstContact(call);
                expect([reason, answer.status]).toEqual([reason, 401]);
                const id = answer.body.error.request_id;
                bodies.add(JSON.stringify(answer.body).replace(id, "<id>"));
                const { rows } = await sql<{ reason: string }>`SELECT reason FROM bootstrap_audit
                    WHERE request_id = ${id} AND decision = 'refused'`.execute(harness.server.db);
                expect(rows).toEqual([{ reason }]);
            }
            expect(bodies.size).toBe(1);
            const status = await cluster.operator("/status");
            expect(status.body.nodes[0]?.last_refusal.reason).toBe("other_role");
            expect((await node.firstContact()).status).toBe(200);
        });

        test("an outage of Excloud refuses, and a guess of the secret never reaches Excloud", async () => {
            const { nodes } = await TestCluster.complete(harness, ["cp-1"]);
            const calls = excloud.calls.length;
            await nodes[0]?.firstContact({ headers: { "x-exk8s-slot-secret": "guess" } });
            expect(excloud.calls).toHaveLength(calls);
            excloud.outage = 503;
            const answer = await nodes[0]?.firstContact();
            excloud.outage = undefined;
            expect(answer?.status).toBe(401);
        });

        test("is pending until the bundle and the whole founding set are there", async () => {
            const cluster = await TestCluster.register(harness);
            for (const slot of threeControlPlanes) {
                await cluster.putSlot(slot);
            }
            await cluster.putPoolFiles("cp", threeControlPlanes);
            const first = await cluster.bind("cp-1");
            await cluster.bind("cp-2");
            expect(await first.firstContact()).toMatchObject({
                status: 409,
                body: { error: { code: "bootstrap.bundle.pending" } },
            });
            await cluster.bind("cp-3");
            expect((await first.firstContact()).status).toBe(200);
        });

        test("is open until the node is ready and 15 minutes more, and again for another VM", async () => {
            const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1"]);
            const node = nodes[0];
            if (!node) {
                throw new Error("no node");
            }
            await node.firstContact();
            await node.report("etcd");
            await node.report("node-ready");
            harness.ahead += 14 * minute;
            expect((await node.firstContact()).status).toBe(200);
            await node.report("node-ready");
            harness.ahead += 2 * minute;
            expect((await node.firstContact()).status).toBe(401);
            expect((await cluster.operator("/nodes/cp-1")).body.armed).toBe(false);
            await cluster.putSlot("cp-1");
            await cluster.putBundle("cp-1", cluster.bundleBody("cp-1", node.vmId));
            expect((await node.firstContact()).status).toBe(401);

            const token = node.agentToken;
            const replacement = await cluster.bind("cp-1");
            expect((await cluster.operator("/nodes/cp-1")).body.armed).toBe(true);
            expect((await replacement.firstContact()).status).toBe(200);
            expect((await harness.call("/agent/bundle", { token })).status).toBe(401);
            const { nodes: reported } = (await cluster.operator("/status")).body;
            expect(reported[0]?.phases).toEqual([]);
        });

        test("closes too when only the report of a healthy generation arrived", async () => {
            const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1"]);
            const generation = (await nodes[0]?.firstContact())?.body.generation ?? "";
            await nodes[0]?.applied(generation, false);
            harness.ahead += 16 * minute;
            expect((await cluster.operator("/nodes/cp-1")).body.armed).toBe(true);
            await nodes[0]?.applied(generation);
            harness.ahead += 16 * minute;
            expect((await cluster.operator("/nodes/cp-1")).body.armed).toBe(false);
        });

        test("a new first bundle revokes the former agent token", async () => {
            const { nodes } = await TestCluster.complete(harness, ["cp-1"]);
            await nodes[0]?.firstContact();
            const token = nodes[0]?.agentToken;
            expect((await harness.call("/agent/bundle", { token })).status).toBe(200);
            await nodes[0]?.firstContact();
            expect((await harness.call("/agent/bundle", { token })).status).toBe(401);
        });
    });

    describe("etcd founding", () => {
        test("the set founds, a late arrival waits, then joins", async () => {
            const { cluster, nodes } = await TestCluster.complete(harness, threeControlPlanes);
            const [first, second, third] = nodes;
            const state = async () => (await cluster.operator("")).body.etcd_state;
            expect((await first?.firstContact())?.body.etcd).toMatchObject({ state: "new" });
            expect(await state()).toBe("founding");
            const replacement = await cluster.bind("cp-3");
            expect(third?.vmId).not.toBe(replacement.vmId);
            expect((await replacement.firstContact()).status).toBe(409);
            await second?.firstContact();
            await first?.report("etcd");
            expect(await state()).toBe("founding");
            await second?.report("etcd", "running");
            expect(await state()).toBe("founding");
            await second?.report("etcd");
            expect(await state()).toBe("founded");
            expect((await replacement.firstContact()).body.etcd).toEqual({ state: "existing" });
        });

        test("etcd is founded anew when every VM that ran it is gone, and no sooner", async () => {
            const { cluster, nodes } = await TestCluster.running(harness, threeControlPlanes);
            const state = async () => (await cluster.operator("")).body.etcd_state;
            // A phase that is run again does not unmake what ran.
            await nodes[2]?.report("etcd", "running");
            const replaced = [await cluster.bind("cp-1"), await cluster.bind("cp-2")];
            expect(await state()).toBe("founded");
            expect((await replaced[0]?.firstContact())?.body.etcd).toEqual({ state: "existing" });
            await cluster.bind("cp-3");
            expect(await state()).toBe("unfounded");
            expect((await replaced[0]?.firstContact())?.body.etcd).toMatchObject({ state: "new" });
        });

        test("one lost report of etcd does not hide that it runs", async () => {
            const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1"]);
            await nodes[0]?.firstContact();
            await nodes[0]?.report("kubelet", "running");
            expect((await cluster.operator("")).body.etcd_state).toBe("founded");
        });

        test("a set whose majority was replaced before founding is given up", async () => {
            const { cluster, nodes } = await TestCluster.complete(harness, threeControlPlanes);
            await nodes[0]?.firstContact();
            await cluster.bind("cp-2");
            expect((await cluster.operator("")).body.etcd_state).toBe("founding");
            const third = await cluster.bind("cp-3");
            expect((await cluster.operator("")).body.etcd_state).toBe("unfounded");
            expect((await third.firstContact()).body.etcd).toMatchObject({ state: "new" });
        });
    });

    describe("renewal of the agent token", () => {
        const renew = (token: string | undefined) =>
            harness.call("/agent/token", { method: "POST", token });
        const statusWith = async (token: string | undefined) =>
            (await harness.call("/agent/bundle", { token })).status;

        test("the former is good until the new one was used, whatever gets lost between", async () => {
            const { nodes } = await TestCluster.running(harness, ["cp-1"]);
            const former = nodes[0]?.agentToken;
            const lost = (await renew(former)).body.agent_token;
            expect(await statusWith(former)).toBe(200);
            const next = (await renew(former)).body.agent_token;
            expect(next).toMatch(/^[A-Za-z0-9_-]{43}$/);
            expect(await statusWith(lost)).toBe(401);
            expect(await statusWith(former)).toBe(200);

            expect(await statusWith(next)).toBe(200);
            expect(await statusWith(former)).toBe(401);
            expect(await statusWith(next)).toBe(200);
            // The first use of a token may be to ask for another one.
            const third = (await renew(next)).body.agent_token;
            const fourth = (await renew(third)).body.agent_token;
            expect([await statusWith(next), await statusWith(fourth)]).toEqual([401, 200]);
        });

        test("a new first bundle, or another VM, revokes both", async () => {
            const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1"]);
            for (const end of [() => nodes[0]?.firstContact(), () => cluster.bind("cp-1")]) {
                await nodes[0]?.firstContact();
                const token = nodes[0]?.agentToken;
                const next = (await renew(token)).body.agent_token;
                await end();
                expect(await statusWith(token)).toBe(401);
                expect(await statusWith(next)).toBe(401);
            }
            expect((await renew("x".repeat(43))).status).toBe(401);
        });
    });

    describe("agent", () => {
        test("routes refuse a wrong token", async () => {
            for (const token of [undefined, "wrong", serverApiKey]) {
                expect(await harness.call("/agent/bundle", { token })).toMatchObject({
                    status: 401,
                    body: { error: { code: "bootstrap.agent.unauthorized" } },
                });
            }
        });

        test("the token is asked for before the body is read, and a body is at most 256 KiB", async () => {
            const { nodes } = await TestCluster.running(harness, ["cp-1"]);
            const post = (token: string | undefined, text: string) =>
                harness.call("/agent/report", { method: "POST", token, text });
            expect((await post("wrong", "{")).status).toBe(401);
            expect((await post(nodes[0]?.agentToken, "{")).status).toBe(400);
            const large = JSON.stringify("x".repeat(256 * 1024));
            expect((await post(nodes[0]?.agentToken, large)).status).toBe(413);
        });

        test("hears of a new peer by its revision, and gets no token again", async () => {
            const { cluster, nodes } = await TestCluster.running(harness, ["cp-1"]);
            const node = nodes[0];
            const before = await node?.bundle();
            const revision = before?.body.revision;
            expect(before?.headers["etag"]).toBe(`"${revision}"`);
            expect(before?.body.agent_token).toBeUndefined();
            expect((await node?.bundle(revision))?.status).toBe(304);
            await cluster.putSlot("cp-2");
            await cluster.bind("cp-2", "10.0.0.9");
            const after = await node?.bundle(revision);
            expect(after?.status).toBe(200);
            expect(after?.body.generation).toBe(before?.body.generation);
            expect(after?.body.peers).toHaveLength(2);
        });

        test("a rollout takes one control plane at a time, gated by health", async () => {
            const { cluster, nodes } = await TestCluster.running(harness, threeControlPlanes);
            await cluster.putPoolFiles("cp", threeControlPlanes, "role 2");
            for (const node of nodes) {
                await cluster.putBundle(node.slot, cluster.bundleBody(node.slot, node.vmId));
            }
            const released = async () =>
                (await Promise.all(nodes.map((node) => node.bundle()))).map(
                    ({ body }) => body.files["/etc/role"],
                );
            expect(await nodes[1]?.bundle()).toMatchObject({
                body: { files: { "/etc/role": "role 2" } },
            });
            expect(await released()).toEqual(["role 1", "role 2", "role 1"]);
            const generation = (await nodes[1]?.bundle())?.body.generation ?? "";
            await nodes[1]?.applied(generation, false);
            expect(await released()).toEqual(["role 1", "role 2", "role 1"]);
            await nodes[1]?.applied(generation);
            await nodes[0]?.bundle();
            expect(await released()).toEqual(["role 2", "role 2", "role 1"]);
        });

        test("a node that is unwell for a moment waits for the one in change", async () => {
            const { cluster, nodes } = await TestCluster.running(harness, threeControlPlanes);
            const [first, second, third] = nodes;
            const put = async (text: string) => {
                await cluster.putPoolFiles("cp", threeControlPlanes, text);
                for (const node of nodes) {
                    await cluster.putBundle(node.slot, cluster.bundleBody(node.slot, node.vmId));
                }
            };
            const text = async (node = first) => (await node?.bundle())?.body.files["/etc/role"];
            const heldBy = async () =>
                (await cluster.operator("/status")).body.nodes.map(({ held_by }) => held_by);
            const old = (await second?.bundle())?.body.generation ?? "";
            await put("bad");
            expect(await text(first)).toBe("bad");
            await second?.applied(old, false);
            await third?.applied(old, false);
            expect([await text(second), await text(third)]).toEqual(["role 1", "role 1"]);
            expect(await heldBy()).toEqual([undefined, "cp-1", "cp-1"]);
            await put("cure");
            expect([await text(third), await text(first)]).toEqual(["role 1", "cure"]);
            await first?.applied((await first.bundle()).body.generation);
            expect([await text(second), await text(third)]).toEqual(["role 1", "cure"]);
            expect(await heldBy()).toEqual([undefined, "cp-3", undefined]);
        });

        test("a node silent for five minutes holds a rollout until its slot has another VM", async () => {
            const { cluster, nodes } = await TestCluster.running(harness, threeControlPlanes);
            const [first, second] = nodes;
            harness.ahead += 6 * minute;
            await first?.bundle();
            await second?.bundle();
            await cluster.putPoolFiles("cp", threeControlPlanes, "role 2");
            for (const node of nodes) {
                await cluster.putBundle(node.slot, cluster.bundleBody(node.slot, node.vmId));
            }
            expect((await first?.bundle())?.body.files["/etc/role"]).toBe("role 1");
            const { body } = await cluster.operator("/status");
            expect(body.nodes.map((node) => node.held_by)).toEqual(["cp-3", "cp-3", undefined]);
            const replacement = await cluster.bind("cp-3");
            const { generation } = (await replacement.firstContact()).body;
            await replacement.applied(generation);
            expect((await first?.bundle())?.body.files["/etc/role"]).toBe("role 2");
        });

        test("reports appear in the status", async () => {
            const { cluster, nodes } = await TestCluster.complete(harness, ["cp-1"]);
            const generation = (await nodes[0]?.firstContact())?.body.generation ?? "";
            await nodes[0]?.report("install", "failed", {
                message: "no space left",
                log_tail: ["x"],
            });
            await nodes[0]?.report("bundle", "done", { finished_at: "2030-01-01T00:00:05Z" });
            await nodes[0]?.applied(generation);
            const { body } = await cluster.operator("/status");
            expect(body.nodes[0]).toMatchObject({
                slot: "cp-1",
                desired_generation: generation,
                released_generation: generation,
                reported_generation: generation,
                healthy: true,
                health: { kubelet: true },
                phases: [
                    { phase: "bundle", state: "done", finished_at: "2030-01-01T00:00:05.000Z" },
                    {
                        phase: "install",
                        state: "failed",
                        message: "no space left",
                        log_tail: ["x"],
                    },
                    { phase: "applied" },
                ],
            });
            const install = async (state: string) => {
                await nodes[0]?.report("install", state);
                const status = await cluster.operator("/status");
                const phases = status.body.nodes[0]?.phases as { phase: string }[];
                return phases.find(({ phase }) => phase === "install");
            };
            // While it is tried again it is known why; no longer once it is done.
            expect(await install("running")).toMatchObject({
                state: "running",
                message: "no space left",
                log_tail: ["x"],
            });
            expect(await install("done")).toMatchObject({ message: null, log_tail: [] });
            expect((await nodes[0]?.report("unknown"))?.status).toBe(400);
        });

        test("a lease has one holder, is renewed, passes on, is given up", async () => {
            const { nodes } = await TestCluster.running(harness, ["cp-1", "cp-2"]);
            const [first, second] = nodes;
            const answers = await Promise.all([first?.lease("addons"), second?.lease("addons")]);
            expect(answers.filter((answer) => answer?.body.granted)).toHaveLength(1);
            const holder = answers[0]?.body.granted ? first : second;
            const other = holder === first ? second : first;
            expect((await holder?.lease("addons"))?.body.granted).toBe(true);
            const refused = await other?.lease("addons");
            expect(refused?.body).toMatchObject({ granted: false, holder: holder?.slot });
            const give = { method: "DELETE", token: other?.agentToken } as const;
            expect((await harness.call("/agent/leases/addons", give)).status).toBe(409);
            harness.ahead += 2 * minute;
            expect((await other?.lease("addons"))?.body).toMatchObject({
                granted: true,
                holder: other?.slot,
            });
            expect((await harness.call("/agent/leases/addons", give)).status).toBe(204);
            expect((await holder?.lease("addons"))?.body.granted).toBe(true);
        });
    });

    test("columns are frozen", async () => {
        const { rows } = await sql<{ column: string }>`
            SELECT table_name || '.' || column_name || ' ' || data_type AS column
            FROM information_schema.columns WHERE table_schema = 'public'
            ORDER BY table_name, ordinal_position`.execute(harness.server.db);
        await expectGolden("columns", rows.map(({ column }) => column).join("\n"));
        const { rows: keys } = await sql`SELECT ca_cert, priv_key, service_acc_priv_key
            FROM clusters WHERE priv_key IS NOT NULL OR service_acc_priv_key IS NOT NULL`.execute(
            harness.server.db,
        );
        expect(keys).toEqual([]);
    });
});
