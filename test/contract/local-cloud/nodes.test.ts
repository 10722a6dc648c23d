import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { Agent, request } from "undici";

import { type LocalCloud, startLocalCloud } from "../../../local-cloud/src/index";
import { expectedCertificates } from "../../../local-cloud/src/nodes/check/certificates";
import { vmRequest } from "../../support/vm-request";
import {
    type Authorities,
    type Draft,
    goodDraft,
    makeAuthorities,
    nodeName,
    put,
    seal,
    type TestNode,
    wishOf,
} from "../../unit/local-cloud/support/bundle";
import { type Authority, issue, makeAuthority } from "../../unit/local-cloud/support/pki";
import { BootstrapStandIn } from "./support/bootstrap-stand-in";

const clusterId = 42;
const slotSecret = "s'lot";
const delays = {
    creating: 1,
    starting: 1,
    stopping: 1,
    restarting: 1,
    terminating: 1,
    poll: 20,
    phase: 1,
    agent: 20,
};

let ca: Authorities;
let serverCa: Authority;
let dir: string;
let cloud: LocalCloud;
let server: BootstrapStandIn;

beforeAll(async () => {
    ca = await makeAuthorities();
    serverCa = await makeAuthority("bootstrap server");
});
beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), "local-cloud-"));
    cloud = await startLocalCloud({ dir, delays });
    server = await BootstrapStandIn.start(serverCa, slotSecret);
});
afterEach(async () => {
    await cloud.close();
    await server.close();
    rmSync(dir, { recursive: true });
});

const shellQuote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const userData = (caPem = serverCa.certificate): string =>
    [
        "#!/usr/bin/env bash",
        "set -euo pipefail",
        `BOOTSTRAP_BASE_URL=${shellQuote(server.url)}`,
        "NODE_ROLE='control-plane'",
        "VERIFIER_MODE='selfHosted'",
        `SLOT_SECRET=${shellQuote(slotSecret)}`,
        `BOOTSTRAP_CA_PEM=${shellQuote(caPem)}`,
        'IMDS_BASE_URL="${EXC_IMDS_BASE_URL:-http://imdsapi.excloud.in}"',
        "",
    ].join("\n");

/** Creates a VM; its number is only part of its name. */
function createVm(number: number, text = userData()): { vmId: number; address: string } {
    const vm = cloud.call(
        "vmCreate",
        vmRequest({ name: `exk8s-5-2a-cp-${number}`, user_data: text }),
    );
    return { vmId: vm.vm_id, address: vm.interface_ipv4 };
}

const goodBundle = (node: Omit<TestNode, "clusterId">): Promise<Draft> =>
    goodDraft(ca, { clusterId, ...node });

/** Waits for a state of affairs; fails with what was last seen. */
async function until<T>(look: () => T | Promise<T>, holds: (seen: T) => boolean): Promise<T> {
    let seen = await look();
    for (let tries = 0; !holds(seen); tries++) {
        if (tries === 500) {
            throw new Error(`still ${JSON.stringify(seen)}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
        seen = await look();
    }
    return seen;
}

const stateOf = (vmId: number): string | undefined =>
    cloud.nodes().find((node) => node.vm_id === vmId)?.state;
const untilState = (vmId: number, state: string): Promise<unknown> =>
    until(
        () => cloud.nodes().find((node) => node.vm_id === vmId),
        (node) => node?.state === state,
    );
const phasesOf = (vmId: number): string[] =>
    server.reportsOf(vmId).map(({ phase, state }) => `${phase} ${state}`);
const untilPhase = (vmId: number, phase: string): Promise<unknown> =>
    until(
        () => phasesOf(vmId),
        (phases) => phases.includes(phase),
    );
const lastReport = (vmId: number) => server.reportsOf(vmId).at(-1);

/** What the API server of a node answers, verified with the cluster's CA; undefined when nobody does. */
async function ask(address: string, what: string): Promise<string | undefined> {
    const dispatcher = new Agent({ connect: { ca: ca.cluster.certificate } });
    try {
        const answer = await request(`https://${address}:6443${what}`, { dispatcher });
        return `${answer.statusCode} ${await answer.body.text()}`;
    } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? "";
        if (["ECONNREFUSED", "ECONNRESET", "UND_ERR_SOCKET"].includes(code)) {
            return undefined;
        }
        throw error;
    } finally {
        await dispatcher.destroy();
    }
}

async function bootOne(): Promise<{ vmId: number; address: string; draft: Draft }> {
    const vm = createVm(1);
    const draft = await goodBundle({ number: 1, address: vm.address });
    server.bundles.set(vm.vmId, seal(draft));
    await untilPhase(vm.vmId, "addons done");
    return { ...vm, draft };
}

describe("a simulated node", () => {
    test("boots through all phases from its own address and serves its API", async () => {
        server.failures.push(409, 503);
        const { vmId, address, draft } = await bootOne();

        expect(phasesOf(vmId)).toEqual([
            "userdata done",
            "bundle done",
            "install running",
            "install done",
            "etcd running",
            "etcd done",
            "kubelet running",
            "kubelet done",
            "apiserver running",
            "apiserver done",
            "node-ready done",
            "applied done",
            "addons running",
            "addons done",
        ]);
        expect(server.reportsOf(vmId).find(({ phase }) => phase === "applied")?.health).toEqual({
            kubelet: true,
            etcd: true,
            apiserver: true,
        });
        expect(new Set(server.requests.map(({ from }) => from))).toEqual(new Set([address]));
        expect(await ask(address, "/livez")).toBe("200 ok");
        expect(await ask(address, "/readyz")).toBe("200 ok");
        expect(await ask(address, "/version")).toContain("v1.35.3+simulated");
        expect(cloud.nodeLog(vmId)?.[0]).toContain("simulation");

        const root = path.join(dir, "nodes", String(vmId), "root");
        const key = path.join(root, "etc/exk8s/pki/apiserver-key.pem");
        expect(readFileSync(key, "utf8")).toBe(
            draft.bundle.files["/etc/exk8s/pki/apiserver-key.pem"],
        );
        expect(statSync(key).mode & 0o777).toBe(0o600);
        expect(statSync(path.join(root, "usr/local/bin/exk8s-bootstrap.sh")).mode & 0o777).toBe(
            0o755,
        );
        const runtime = path.join(root, "etc/exk8s/runtime");
        expect(readFileSync(path.join(runtime, "agent-token"), "utf8")).toBe(`agent-${vmId}\n`);
        expect(statSync(path.join(runtime, "agent-token")).mode & 0o777).toBe(0o600);
        expect(JSON.parse(readFileSync(path.join(runtime, "peers.json"), "utf8"))).toEqual(
            draft.bundle.peers,
        );
    });

    test("keeps its secrets out of its log and its reports", async () => {
        const { vmId } = await bootOne();
        const said = JSON.stringify([cloud.nodeLog(vmId), server.reportsOf(vmId), cloud.nodes()]);
        for (const secret of [slotSecret, `agent-${vmId}`, "PRIVATE KEY", "machine_", "imds_"]) {
            expect(said).not.toContain(secret);
        }
    });

    test("keeps asking while it is refused, and trusts only the pinned CA", async () => {
        const stranger = await makeAuthority("stranger");
        const refused = createVm(1);
        const wary = createVm(2, userData(stranger.certificate));
        await until(
            () => cloud.nodeLog(refused.vmId)?.join() ?? "",
            (log) => log.includes("HTTP 401 bootstrap.auth.refused; trying on"),
        );
        await until(
            () => cloud.nodeLog(wary.vmId)?.join() ?? "",
            (log) => /certificate/i.test(log) && log.includes("trying on"),
        );
        expect(server.requests.some(({ from }) => from === wary.address)).toBe(false);
        expect([stateOf(refused.vmId), stateOf(wary.vmId)]).toEqual(["booting", "booting"]);
    });

    test("fails its boot with the reason, then comes up with a corrected bundle", async () => {
        const vm = createVm(1);
        const draft = await goodBundle({ number: 1, address: vm.address });
        const apiServer = expectedCertificates.find(({ name }) => name === "apiserver");
        if (apiServer === undefined) {
            throw new Error("no entry");
        }
        const broken = structuredClone(draft);
        const wish = wishOf(broken, apiServer);
        put(
            broken,
            apiServer,
            await issue(ca.cluster, {
                ...wish,
                names: wish.names?.filter((name) => name !== vm.address) ?? [],
            }),
            ca,
        );
        server.bundles.set(vm.vmId, seal(broken));
        await untilPhase(vm.vmId, "apiserver failed");
        const reason = `certificate apiserver: names: /etc/exk8s/pki/apiserver.pem is not valid for ${vm.address}`;
        expect(lastReport(vm.vmId)?.message).toBe(reason);
        expect(lastReport(vm.vmId)?.log_tail?.join()).toContain(reason);
        expect(cloud.nodeLog(vm.vmId)?.join()).toContain(reason);
        expect(await ask(vm.address, "/readyz")).toBeUndefined();

        server.bundles.set(vm.vmId, seal(draft));
        await untilState(vm.vmId, "ready");
        expect(await ask(vm.address, "/readyz")).toBe("200 ok");
        // One report of the failure, however often the agent looked in between.
        expect(phasesOf(vm.vmId).filter((phase) => phase === "apiserver failed")).toHaveLength(1);
    });

    test("refuses a bundle whose digests disagree, and writes nothing of it", async () => {
        const vm = createVm(1);
        const draft = await goodBundle({ number: 1, address: vm.address });
        server.bundles.set(vm.vmId, { ...seal(draft), generation: "0".repeat(64) });
        await untilPhase(vm.vmId, "bundle failed");
        await untilState(vm.vmId, "failed");
        expect(existsSync(path.join(dir, "nodes", String(vm.vmId), "root"))).toBe(false);
    });

    test("applies a new generation, and reports it failed when it is wrong", async () => {
        const { vmId, address, draft } = await bootOne();
        const next = structuredClone(draft);
        next.bundle.files["/etc/exk8s/config/cluster.env"] = "KUBERNETES_VERSION='v1.35.4'\n";
        const bundle = seal(next);
        server.bundles.set(vmId, bundle);
        await until(
            () => lastReport(vmId),
            (report) => report?.generation === bundle.generation,
        );
        expect(lastReport(vmId)).toMatchObject({ phase: "applied", state: "done" });
        expect(await ask(address, "/version")).toContain("v1.35.4");

        const wrong = structuredClone(next);
        wrong.bundle.files["/var/lib/kubelet/config.yaml"] = "kind: Other\n";
        server.bundles.set(vmId, seal(wrong));
        await until(
            () => lastReport(vmId),
            (report) => report?.state === "failed",
        );
        expect(lastReport(vmId)).toMatchObject({ phase: "applied", health: { apiserver: false } });
        expect(lastReport(vmId)?.message).toContain("kubelet-configuration");
        expect(await ask(address, "/readyz")).toBe("500 not ready");
    });

    test("removes files that a new generation has no more, and follows the server it names", async () => {
        const { vmId, draft } = await bootOne();
        const gone = "/etc/cni/net.d/10-exk8s.conflist";
        const onDisk = path.join(dir, "nodes", String(vmId), "root", gone);
        expect(existsSync(onDisk)).toBe(true);
        const otherCa = await makeAuthority("another server");
        const other = await BootstrapStandIn.start(otherCa, slotSecret);
        try {
            const next = structuredClone(draft);
            delete next.bundle.files[gone];
            delete next.bundle.attributes[gone];
            const named = {
                "/etc/exk8s/config/bootstrap-server.env": `BOOTSTRAP_BASE_URL='${other.url}'\n`,
                "/etc/exk8s/config/bootstrap-server-ca.pem": otherCa.certificate,
            };
            for (const [file, content] of Object.entries(named)) {
                next.bundle.files[file] = content;
                next.bundle.attributes[file] = { mode: "0644", owner: "root:root" };
            }
            const bundle = seal(next);
            other.bundles.set(vmId, bundle);
            server.bundles.set(vmId, bundle);
            await until(
                () => other.requests.map(({ path }) => path),
                (paths) => paths.includes("/agent/bundle"),
            );
            expect(existsSync(onDisk)).toBe(false);
        } finally {
            await other.close();
        }
    });

    test("stops, starts and restarts with its VM, without a new first contact", async () => {
        const { vmId, address } = await bootOne();
        const firstContacts = (): number =>
            server.requests.filter(({ path }) => path.startsWith("/bootstrap/")).length;
        const contacts = firstContacts();
        cloud.call("vmStop", { vm_id: vmId });
        await until(
            () => cloud.call("vmGet", { vm_id: vmId }).state,
            (state) => state === "STOPPED",
        );
        await untilState(vmId, "stopped");
        expect(await ask(address, "/livez")).toBeUndefined();
        cloud.call("vmStart", { vm_id: vmId });
        await until(
            () => ask(address, "/readyz"),
            (answer) => answer === "200 ok",
        );
        cloud.call("vmRestart", { vm_id: vmId });
        await until(
            () => ask(address, "/readyz"),
            (answer) => answer === "200 ok",
        );
        expect(firstContacts()).toBe(contacts);
        expect(phasesOf(vmId).filter((phase) => phase === "node-ready done")).toHaveLength(1);
    });

    test("is taken up again when the local cloud restarts", async () => {
        const { vmId, address } = await bootOne();
        const { apiKey } = cloud;
        await cloud.close();
        expect(await ask(address, "/livez")).toBeUndefined();
        cloud = await startLocalCloud({ dir, delays });
        expect(cloud.apiKey).toBe(apiKey);
        await until(
            () => ask(address, "/readyz"),
            (answer) => answer === "200 ok",
        );
        expect(phasesOf(vmId).filter((phase) => phase === "node-ready done")).toHaveLength(1);
    });

    test("is gone with its VM, with its disk", async () => {
        const { vmId, address } = await bootOne();
        cloud.terminateVm(vmId);
        await until(
            () => cloud.nodes(),
            (nodes) => nodes.length === 0,
        );
        expect(await ask(address, "/livez")).toBeUndefined();
        await until(
            () => existsSync(path.join(dir, "nodes", String(vmId))),
            (exists) => !exists,
        );
        expect(Object.values(cloud.inventory()).flat()).toEqual([]);
    });

    test("without a bootstrap script is a VM and no more", async () => {
        const { vmId, address } = createVm(1, "#!/bin/sh\necho hello\n");
        await untilState(vmId, "idle");
        expect(await ask(address, "/livez")).toBeUndefined();
    });
});

describe("three simulated nodes", () => {
    const numbers = [1, 2, 3] as const;

    async function createThree() {
        const vms = numbers.map((number) => createVm(number));
        const addresses = Object.fromEntries(
            vms.map(({ address }, i) => [i + 1, address]),
        ) as Record<number, string>;
        const drafts = await Promise.all(
            vms.map(({ address }, i) => goodBundle({ number: i + 1, address, addresses })),
        );
        return { vms, addresses, drafts };
    }

    test("found etcd together: none is ready before a majority is up", async () => {
        const { vms, drafts } = await createThree();
        const [one, two, three] = vms.map(({ vmId }, i) => ({ vmId, draft: drafts[i] }));
        if (!one?.draft || !two?.draft || !three?.draft) {
            throw new Error("three were made");
        }
        server.bundles.set(one.vmId, seal(one.draft));
        await until(
            () => cloud.nodeLog(one.vmId)?.join() ?? "",
            (log) => log.includes("etcd waits for quorum: 1 of 3 members are up"),
        );
        expect(phasesOf(one.vmId)).not.toContain("etcd done");
        server.bundles.set(two.vmId, seal(two.draft));
        await untilPhase(one.vmId, "addons done");
        server.bundles.set(three.vmId, seal(three.draft));
        for (const { vmId } of vms) {
            await untilPhase(vmId, "addons done");
        }
    });

    test("a founder with another set fails, and so does one that would found a second etcd", async () => {
        const { vms, drafts, addresses } = await createThree();
        vms.slice(0, 2).forEach(({ vmId }, i) => {
            const draft = drafts[i];
            if (draft !== undefined) {
                server.bundles.set(vmId, seal(draft));
            }
        });
        for (const { vmId } of vms.slice(0, 2)) {
            await untilPhase(vmId, "node-ready done");
        }
        const late = vms[2];
        if (late === undefined) {
            throw new Error("three were made");
        }
        const other = await goodBundle({
            number: 3,
            address: late.address,
            addresses: { ...addresses, 2: "127.64.9.99" },
        });
        server.bundles.set(late.vmId, seal(other));
        await untilPhase(late.vmId, "etcd failed");
        expect(lastReport(late.vmId)?.message).toContain("differs from");

        const stranger = createVm(3);
        const second = await goodBundle({ number: 3, address: stranger.address });
        server.bundles.set(stranger.vmId, seal(second));
        await untilPhase(stranger.vmId, "etcd failed");
        expect(lastReport(stranger.vmId)?.message).toContain("this would be a second one");
    });

    test("a replaced node joins with `existing`, and only while there is quorum", async () => {
        const { vms, drafts, addresses } = await createThree();
        vms.forEach(({ vmId }, i) => {
            const draft = drafts[i];
            if (draft !== undefined) {
                server.bundles.set(vmId, seal(draft));
            }
        });
        for (const { vmId } of vms) {
            await untilPhase(vmId, "addons done");
        }
        const [first, second] = vms;
        if (first === undefined || second === undefined) {
            throw new Error("three were made");
        }
        cloud.terminateVm(first.vmId);
        const replacement = createVm(1);
        expect(replacement.address).not.toBe(first.address);
        const bundle = await goodBundle({
            number: 1,
            address: replacement.address,
            addresses: { ...addresses, 1: replacement.address },
            etcd: "existing",
        });
        server.bundles.set(replacement.vmId, seal(bundle));
        await untilPhase(replacement.vmId, "addons done");
        expect(await ask(replacement.address, "/readyz")).toBe("200 ok");

        cloud.terminateVm(replacement.vmId);
        cloud.terminateVm(second.vmId);
        const survivor = addresses[3] ?? "";
        await until(
            () => ask(survivor, "/readyz"),
            (answer) => answer === "500 not ready",
        );
        const third = vms[2]?.vmId ?? 0;
        await until(
            () => lastReport(third),
            (report) => report?.state === "failed" && report.health?.["etcd"] === false,
        );
    });

    test("a node told to join an etcd that was never founded fails", async () => {
        const vm = createVm(1);
        const draft = await goodBundle({ number: 1, address: vm.address, etcd: "existing" });
        server.bundles.set(vm.vmId, seal(draft));
        await untilPhase(vm.vmId, "etcd failed");
        expect(lastReport(vm.vmId)?.message).toContain("it is not founded");
        expect(draft.bundle.node_name).toBe(nodeName(clusterId, 1));
    });
});
