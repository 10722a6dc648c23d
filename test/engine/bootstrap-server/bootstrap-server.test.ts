import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { REPOSITORY } from "../../../tools/engine/repository";
import { openBench, typeOf, type Bench } from "../cluster/harness";

// A bootstrap server made by the real engine. Its VM runs nothing here: the test starts the real server at the VM's
// address with the files and the environment of its user data, as the unit of the VM does.

let bench: Bench;
let server: ChildProcess | undefined;

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

/** What the user data of the server's VM writes, by the end of the line that says where. */
function filesOfUserData(): Record<string, string> {
    const file = join(bench.folder.cloud, "state/vms.json");
    const rows = JSON.parse(readFileSync(file, "utf8")) as { name: string; user_data: string }[];
    const text = rows.find(({ name }) => name.startsWith("bootstrap-"))?.user_data ?? "";
    return Object.fromEntries(
        [...text.matchAll(/^place [^\n]*\/([^/"\n]+)"? <<'END'\n(.*?)^END$/gms)].map(
            ([, name = "", content = ""]) => [name, content],
        ),
    );
}

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
    await setServer();
    await up();
});
afterAll(async () => {
    if (server?.exitCode === null) {
        server.kill("SIGKILL");
        await once(server, "exit");
    }
    await bench?.close();
});

test("the VM gets everything the server needs, and the state shows no secret of it", async () => {
    const files = filesOfUserData();
    expect(Object.keys(files).sort()).toEqual(
        [
            "ca.crt",
            "ca.key",
            "environment",
            "excloud-k8s-bootstrap.service",
            "install.sh",
            "release",
        ].sort(),
    );
    const token = await output("operatorToken");
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(files["environment"]).toContain(`EXCLOUD_BOOTSTRAP_TOKEN='${token}'`);
    const state = JSON.stringify(await bench.resources());
    for (const secret of [token, "PRIVATE KEY", bench.services.environment["EXCLOUD_API_KEY"]!]) {
        expect(state).not.toContain(secret);
    }
});

test("a server of these files serves a cluster by `bootstrap: server.connection`", async () => {
    const files = filesOfUserData();
    const dataDir = join(bench.folder.root, "vm-data");
    mkdirSync(join(dataDir, "tls"), { recursive: true, mode: 0o700 });
    for (const name of ["ca.crt", "ca.key"]) {
        writeFileSync(join(dataDir, "tls", name), files[name]!, { mode: 0o600 });
    }
    const url = new URL(await output("url"));
    const environment: Record<string, string> = {};
    for (const [, name = "", value = ""] of files["environment"]!.matchAll(/^(\w+)='(.*)'$/gm)) {
        environment[name] = value;
    }
    server = spawn(
        process.execPath,
        [
            ...[join(REPOSITORY, "bootstrap-server/dist/main.js"), "serve"],
            ...["--listen", url.host, "--data-dir", dataDir, "--host", url.hostname],
        ],
        {
            env: { PATH: process.env["PATH"], ...environment },
            stdio: ["ignore", "pipe", "inherit"],
        },
    );
    await once(createInterface(server.stdout!), "line");
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
