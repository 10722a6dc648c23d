import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { type Bench, openBench, typeOf } from "../cluster/harness";
import { VmServers } from "./vm-servers";

// A bootstrap server made by the real engine. Its VM is simulated: the test runs the real server in its place.

let bench: Bench;
let servers: VmServers | undefined;

const setServer = (more: object = {}) =>
    bench.stack.setObject("server", {
        imageId: 1,
        instanceType: "t1a.small",
        subnetId: 1,
        npmRegistry: "https://npm.example",
        allocatePublicIpv4: false,
        ...more,
    });
const up = (expected = 0) => bench.pulumi(["up", "--yes", "--skip-preview"], expected);
const serverVm = async () => (await bench.vms()).find(({ name }) => name.startsWith("bootstrap-"));

async function output(name: string): Promise<string> {
    const args = ["stack", "output", name, "--show-secrets"];
    return (await bench.stack.capture(args)).stdout.trim();
}

beforeAll(async () => {
    bench = await openBench({ arguments: { controlPlaneCount: 1 } });
    const program = join(__dirname, "program/index.js");
    writeFileSync(
        bench.folder.projectFile,
        `name: quickstart\nruntime: nodejs\nmain: ${program}\n`,
    );
    // Of the stack's own server, not of the one that runs beside the cloud.
    delete bench.stack.options.env["EXCLOUD_BOOTSTRAP_TOKEN"];
    await setServer({ timeouts: { ready: 1 } });
});
afterAll(async () => {
    await servers?.close();
    await bench?.close();
});

test("`up` fails while the server does not answer, and says where to look", async () => {
    const said = await up(1);
    expect(said).toMatch(
        /bootstrap server {2}GET https:.*\/ready got no answer: connect ECONNREFUSED/,
    );
    expect(said).toMatch(/the bootstrap server on VM \d+ is not ready after 1 s: GET https:/);
    expect(said).toMatch(/Next: .*`allowedCidrs`.*`journalctl -u excloud-k8s-bootstrap-install/);
});

test("the next `up` goes on waiting, and ends when the server answers by its own authority", async () => {
    servers = new VmServers(bench.folder.cloud);
    await setServer();
    expect(await up()).toContain("bootstrap server  ready");
});

test("the VM gets everything the server needs, and the state shows no secret of it", async () => {
    const files = servers!.files();
    expect(Object.keys(files).sort()).toEqual(
        [
            "api-key",
            "ca.crt",
            "ca.key",
            "config.json",
            "excloud-k8s-bootstrap",
            "excloud-k8s-bootstrap-install.service",
            "install.sh",
            "release",
        ].sort(),
    );
    const token = await output("operatorToken");
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.parse(files["config.json"]!)).toMatchObject({ operatorToken: token });
    const state = JSON.stringify(await bench.resources());
    for (const secret of [token, "PRIVATE KEY", bench.services.environment["EXCLOUD_API_KEY"]!]) {
        expect(state).not.toContain(secret);
    }
});

test("the server serves a cluster by `bootstrap: server.connection`", async () => {
    bench.stack.options.env["EXCLOUD_BOOTSTRAP_TOKEN"] = await output("operatorToken");
    await bench.stack.set("withCluster", true);
    await up();
    expect(await output("name")).toMatch(/^exk8s-/);
    const preview = await bench.preview();
    expect(preview.filter(({ op }) => op !== "same").map(typeOf)).toEqual([]);
});

test("a change never replaces the VM, which holds the data", async () => {
    const before = await serverVm();
    await setServer({ instanceType: "t1a.medium" });
    expect(await up(1)).toContain("cannot change in place (t1a.small to t1a.medium)");
    await setServer({ allowedCidrs: ["203.0.113.7/32"] });
    await up();
    expect(await serverVm()).toEqual(before);
});

test("destroy leaves nothing", async () => {
    await bench.pulumi(["destroy", "--yes", "--skip-preview"]);
    expect(Object.values(await bench.inventory()).flat()).toEqual([]);
});
