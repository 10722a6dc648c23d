import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";

import { generationOf, manifestForServer } from "../../../provider/bootstrap/files";
import { vmRequest } from "../../support/vm-request";
import { clusterInState, inDays, World } from "./support/world";

// A node that the real server has reports of: it is given files that make no node, and says so. Clusters
// that get ready are in test/engine.

let world: World;
let cluster: { cluster_id: number; name: string };
let vmId: number;

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const inState = (certificates = {}) => {
    const { url, caPem } = world.server;
    return clusterInState("prod", cluster, { operatorUrl: url, caPem }, certificates);
};

beforeAll(async () => {
    world = await World.open();
    cluster = await world.bootstrap("registerCluster", { key: "organization/shop/prod/prod" });
    const { cluster_id } = cluster;
    for (const slot of ["cp-1", "cp-2"]) {
        const node_name = `${slot}.cluster-${cluster_id}.internal`;
        const secret_sha256 = sha256(`secret of ${slot}`);
        await world.bootstrap("putSlot", {
            cluster_id,
            slot,
            role: "control-plane",
            node_name,
            secret_sha256,
        });
    }
    const vm = world.cloud.call(
        "vmCreate",
        vmRequest({
            name: `${cluster.name}-cp-1`,
            user_data: [
                `BOOTSTRAP_BASE_URL='${world.server.url}'`,
                "NODE_ROLE='control-plane'",
                "VERIFIER_MODE='selfHosted'",
                "SLOT_SECRET='secret of cp-1'",
                `BOOTSTRAP_CA_PEM='${world.server.caPem}'`,
                "",
            ].join("\n"),
        }),
    );
    vmId = vm.vm_id;
    await world.bootstrap("putPoolFiles", {
        cluster_id,
        pool: "cp",
        role: "control-plane",
        slots: ["cp-1"],
        files: {},
    });
    const manifest = { "/etc/nothing": `${sha256("")} 0644 root:root` };
    await world.bootstrap("putBundle", {
        cluster_id,
        slot: "cp-1",
        vm_id: vmId,
        address: vm.interface_ipv4,
        files: { "/etc/nothing": { content: "", mode: "0644", owner: "root:root" } },
        manifest: manifestForServer(manifest),
        generation: generationOf(manifest),
    });
    for (;;) {
        const { nodes } = await world.bootstrap("getStatus", { cluster_id });
        if (nodes[0]?.phases.some(({ state }) => state === "failed")) {
            break;
        }
        await sleep(50);
    }
});
beforeEach(() => world.reset());
afterAll(() => world?.close());

test("each node is shown with what it has done, and why it fails", async () => {
    world.setState(inState());
    const { code, stdout, stderr } = await world.run(["status"]);
    expect([code, stderr]).toEqual([1, ""]);
    const lines = stdout.split("\n");
    expect(lines[0]).toBe(
        `${cluster.name} (cluster ${cluster.cluster_id} at ${world.server.url}): not ready`,
    );
    expect(stdout).toMatch(
        new RegExp(
            `^cp-1 {2}VM ${vmId} {2}127\\.[\\d.]+ {2}not healthy.*, has files none, waits for [0-9a-f]{8}, heard of \\d+ s ago$`,
            "m",
        ),
    );
    expect(stdout).toMatch(/^ {4}bundle {5}done +\d+\.\d s$/m);
    expect(stdout).toMatch(/^ {4}install +failed +\d+\.\d s {2}\S.*$/m);
    expect(stdout).toMatch(
        /^cp-2 {2}no VM yet {2}not healthy, no files were made for it yet, never heard of$/m,
    );
});

test("not a colour where there is no terminal", async () => {
    world.setState(inState());
    const { stdout } = await world.run(["status"]);
    expect(stdout).not.toContain("\u001b");
});

test("--json gives the same as data", async () => {
    world.setState(inState({ admin: inDays(5) }));
    const { code, stdout } = await world.run(["status", "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual([
        expect.objectContaining({
            clusterId: cluster.cluster_id,
            ready: false,
            certificates: [{ name: "prod-admin", notAfter: expect.any(String) }],
            nodes: [
                expect.objectContaining({ slot: "cp-1", vm_id: vmId }),
                expect.objectContaining({ slot: "cp-2", vm_id: null }),
            ],
        }),
    ]);
});

test("certificates of this cluster that end soon are named, the first to end first", async () => {
    const other = { cluster_id: cluster.cluster_id, name: "other" };
    const { url: operatorUrl, caPem } = world.server;
    world.setState([
        ...inState({ admin: inDays(20.5), "cluster-ca": inDays(300), scheduler: inDays(-1) }),
        ...clusterInState("prod-eu", other, { operatorUrl, caPem }, { admin: inDays(10.5) }),
    ]);
    const { stdout } = await world.run(["status"]);
    const [first = "", second = ""] = stdout.split(/^other /m);
    expect(first.match(/certificate (\S+ end\w+ \w+ \S+)/g)).toEqual([
        `certificate prod-scheduler ended on ${inDays(-1).slice(0, 10)};`,
        "certificate prod-admin ends in 20",
    ]);
    expect(second.match(/certificate \S+ ends in \d+/g)).toEqual([
        "certificate prod-eu-admin ends in 10",
    ]);
});

test.each<[string, () => void, Record<string, string | undefined>, RegExp]>([
    [
        "without a cluster",
        () => world.setState([]),
        {},
        /^The stack holds no cluster yet\. Next: `pulumi up`\n$/,
    ],
    [
        "without a token",
        () => world.setState(inState()),
        { EXCLOUD_BOOTSTRAP_TOKEN: undefined },
        /^no operator's token .*Next: set EXCLOUD_BOOTSTRAP_TOKEN, or `pulumi config set/,
    ],
    [
        "with a wrong token",
        () => world.setState(inState()),
        { EXCLOUD_BOOTSTRAP_TOKEN: "x".repeat(40) },
        /^GET https:\S+\/status answered 401 .*Next: .*EXCLOUD_BOOTSTRAP_TOKEN/,
    ],
    [
        "with a server that is gone",
        () => world.setState(inState()),
        { EXCLOUD_BOOTSTRAP_URL: "https://127.0.0.1:1" },
        /^GET https:\/\/127\.0\.0\.1:1\/\S+ got no answer: .*Next: check/,
    ],
    [
        "with the server's address as a secret",
        () =>
            world.setState(
                clusterInState("prod", cluster, { operatorUrl: { ciphertext: "v1:x" } }),
            ),
        {},
        /^the state keeps bootstrap of cluster prod as a secret.*Next: give bootstrap\.operatorUrl/,
    ],
    [
        "without a stack",
        () => world.answer("stack export", undefined),
        {},
        /^pulumi stack export failed:\n/,
    ],
])("%s it says so without a stack trace", async (_, prepare, environment, message) => {
    prepare();
    const { code, stdout, stderr } = await world.run(["status"], environment);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
});

test("the token may lie in the configuration, as a provider reads it", async () => {
    world.setState(inState());
    const value = world.server.operatorToken;
    world.answer(
        "config --show-secrets",
        JSON.stringify({ "excloud-k8s:bootstrapToken": { value, secret: true } }),
    );
    const { code, stdout } = await world.run(["status"], { EXCLOUD_BOOTSTRAP_TOKEN: undefined });
    expect([code, stdout]).toEqual([1, expect.stringContaining("cp-1  VM")]);
    expect(stdout).not.toContain(value);
});
