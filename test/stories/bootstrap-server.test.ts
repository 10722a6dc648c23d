import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Agent, request } from "undici";

import { REPOSITORY } from "../../tools/engine/repository";
import { packAll } from "../../tools/packages/pack";
import { outputsOf } from "../../tools/playground/playground";
import { eventually, RealCluster } from "../support/real-nodes/real-cluster";
import { startNpmRegistry } from "./support/npm-registry";

// `ExcloudBootstrapServer` on a real node: its user data installs this clone's package, and systemd runs its unit.

const unitName = "excloud-k8s-bootstrap.service";

let cluster: RealCluster;
let registry: Awaited<ReturnType<typeof startNpmRegistry>>;

/** Runs a command on the server's node. */
async function onServer(...command: string[]): Promise<string> {
    const [node] = await cluster.nodes();
    return cluster.onNode(node!.vm_name.split("-").at(-1)!, ...command);
}

/** What the server says of its health, to whoever trusts the authority that the component gives. */
async function health(): Promise<unknown> {
    const { url, caPem } = await outputsOf(cluster.bench.stack);
    const dispatcher = new Agent({ connect: { ca: String(caPem) } });
    const answer = await request(`${String(url)}/health`, { dispatcher });
    const body = await answer.body.json();
    await dispatcher.close();
    return body;
}

beforeAll(async () => {
    cluster = await RealCluster.open({ controlPlaneCount: 1 });
    const { folder, stack, services } = cluster.bench;
    const program = join(REPOSITORY, "test/engine/bootstrap-server/program/index.js");
    writeFileSync(folder.projectFile, `name: quickstart\nruntime: nodejs\nmain: ${program}\n`);
    const packages = join(folder.root, "packages");
    mkdirSync(packages);
    const name = "excloud-k8s-bootstrap";
    const { file } = (await packAll(packages))[name];
    const about = readFileSync(join(REPOSITORY, "bootstrap-server/package.json"), "utf8");
    const upstream = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" });
    registry = await startNpmRegistry(
        // This machine's end of the link to the cloud's network: only that network reaches it.
        services.real!.network.machine,
        upstream.trim().replace(/\/$/, ""),
        { name, about: JSON.parse(about) as { version: string }, file },
    );
    delete stack.options.env["EXCLOUD_BOOTSTRAP_TOKEN"];
    await stack.setObject("server", {
        imageId: 1,
        instanceType: "t1a.small",
        subnetId: 1,
        npmRegistry: registry.url,
        allocatePublicIpv4: false,
    });
});
afterAll(async () => {
    await cluster?.close();
    await registry?.close();
});

test("`up` ends when the server answers by the authority that the component gives", async () => {
    expect(await cluster.up()).toContain("bootstrap server  ready");
    expect(await health()).toEqual({ status: "ok" });
});

test("it runs under the unit of its package, locked in", async () => {
    const unit = readFileSync(join(REPOSITORY, "bootstrap-server", unitName), "utf8");
    expect(await onServer("cat", `/etc/systemd/system/${unitName}`)).toBe(unit);
    const pid = await onServer("systemctl", "show", "--value", "--property=MainPID", unitName);
    const status = await onServer("cat", `/proc/${pid.trim()}/status`);
    const of = (field: string) => new RegExp(`^${field}:\\s+(.*)$`, "m").exec(status)?.[1];
    expect(of("CapEff")).toMatch(/^0+$/);
    expect(of("CapBnd")).toMatch(/^0+$/);
    expect(of("NoNewPrivs")).toBe("1");
    expect(of("Seccomp")).toBe("2");
    expect(of("Uid")).not.toMatch(/^0\b/);
});

test("root has its commands, and its first start is repeated without harm", async () => {
    expect(await onServer("excloud-k8s-bootstrap", "health")).toBe("ok\n");
    await onServer("systemctl", "start", "excloud-k8s-bootstrap-install.service");
    await eventually(60, async () => expect(await health()).toEqual({ status: "ok" }));
});
