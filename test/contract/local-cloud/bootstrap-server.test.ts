import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Agent, request } from "undici";

import { type LocalCloud, startLocalCloud } from "../../../local-cloud/src/index";
import { generationOfFiles } from "../../../local-cloud/src/nodes/bundle";
import { vmRequest } from "../../support/vm-request";
import {
    type Authorities,
    type Draft,
    goodDraft,
    makeAuthorities,
    nodeName,
} from "../../unit/local-cloud/support/bundle";
import { type BootstrapProcess, startBootstrapServer } from "./support/bootstrap-process";

/** The real bootstrap server and simulated nodes, put together as the provider does it. */

const numbers = [1, 2, 3] as const;
const sharedFile = "/etc/exk8s/config/cluster.env";

let dir: string;
let cloud: LocalCloud;
let server: BootstrapProcess;
let operator: Agent;
let ca: Authorities;

beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), "local-cloud-"));
    ca = await makeAuthorities();
    cloud = await startLocalCloud({
        dir: path.join(dir, "cloud"),
        delays: { creating: 1, starting: 1, terminating: 1, poll: 50, phase: 1, agent: 50 },
    });
    server = await startBootstrapServer(path.join(dir, "bootstrap"), cloud.environment());
    operator = new Agent({ connect: { ca: server.caPem } });
});
afterEach(async () => {
    await operator.destroy();
    await cloud.close();
    await server.close();
    rmSync(dir, { recursive: true });
});

async function operate<Answer>(
    method: "GET" | "PUT" | "POST",
    what: string,
    body?: unknown,
): Promise<Answer> {
    const response = await request(`${server.url}${what}`, {
        dispatcher: operator,
        method,
        headers: {
            authorization: `Bearer ${server.operatorToken}`,
            "content-type": "application/json",
        },
        body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.body.text();
    if (response.statusCode > 299) {
        throw new Error(`${method} ${what}: ${text}`);
    }
    return JSON.parse(text) as Answer;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

interface Cluster {
    cluster_id: number;
    name: string;
    etcd_state: string;
}

interface Status extends Cluster {
    nodes: {
        slot: string;
        healthy: boolean;
        desired_generation: string | null;
        reported_generation: string | null;
        phases: { phase: string; state: string; message?: string | null }[];
    }[];
}

/** Arms a slot and creates its VM, which starts to ask at once. */
async function createNode(cluster: Cluster, number: number) {
    const secret = randomBytes(32).toString("base64url");
    await operate("PUT", `/v1/clusters/${cluster.cluster_id}/nodes/cp-${number}`, {
        role: "control-plane",
        node_name: nodeName(cluster.cluster_id, number),
        secret_sha256: sha256(secret),
    });
    return cloud.call(
        "vmCreate",
        vmRequest({
            name: `${cluster.name}-cp-${number}`,
            user_data: [
                `BOOTSTRAP_BASE_URL='${server.url}'`,
                "NODE_ROLE='control-plane'",
                "VERIFIER_MODE='selfHosted'",
                `SLOT_SECRET='${secret}'`,
                `BOOTSTRAP_CA_PEM='${server.caPem}'`,
                "",
            ].join("\n"),
        }),
    );
}

const entryOf = ({ bundle }: Draft, file: string) => ({
    content: bundle.files[file] ?? "",
    ...(bundle.attributes[file] ?? { mode: "0644", owner: "root:root" }),
});

async function putBundle(cluster: Cluster, vmId: number, draft: Draft): Promise<string> {
    const { bundle, node } = draft;
    const files = Object.keys(bundle.files);
    const generation = generationOfFiles(bundle);
    await operate("PUT", `/v1/clusters/${cluster.cluster_id}/nodes/cp-${node.number}/bundle`, {
        vm_id: vmId,
        address: node.address,
        files: Object.fromEntries(
            files.filter((file) => file !== sharedFile).map((file) => [file, entryOf(draft, file)]),
        ),
        manifest: Object.fromEntries(
            files.map((file) => {
                const { content, ...attributes } = entryOf(draft, file);
                return [file, { sha256: sha256(content), ...attributes }];
            }),
        ),
        generation,
    });
    return generation;
}

async function untilHealthy(
    cluster: Cluster,
    generations: Record<string, string>,
): Promise<Status> {
    for (let tries = 0; ; tries++) {
        const status = await operate<Status>("GET", `/v1/clusters/${cluster.cluster_id}/status`);
        const done = status.nodes.every(
            (node) => node.healthy && node.reported_generation === generations[node.slot],
        );
        if (done && status.nodes.length === Object.keys(generations).length) {
            return status;
        }
        if (tries > 300) {
            const logs = cloud.nodes().map(({ vm_id }) => cloud.nodeLog(vm_id)?.slice(-8));
            throw new Error(JSON.stringify({ status, logs }, null, 1));
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

test("three nodes found a cluster, take an update, and one is replaced", async () => {
    const cluster = await operate<Cluster>("POST", "/v1/clusters", {
        key: "org/project/stack/prod",
    });
    const clusterId = cluster.cluster_id;
    const vms = await Promise.all(numbers.map((number) => createNode(cluster, number)));
    const addresses: Record<number, string> = Object.fromEntries(
        vms.map((vm, i) => [i + 1, vm.interface_ipv4]),
    );
    const drafts = await Promise.all(
        numbers.map((number) =>
            goodDraft(ca, { clusterId, number, address: addresses[number] ?? "" }),
        ),
    );
    const [first] = drafts;
    if (first === undefined) {
        throw new Error("three were made");
    }
    const putPool = (draft: Draft) =>
        operate("PUT", `/v1/clusters/${clusterId}/pools/cp/files`, {
            role: "control-plane",
            slots: numbers.map((number) => `cp-${number}`),
            files: { [sharedFile]: entryOf(draft, sharedFile) },
        });
    await putPool(first);
    const generations: Record<string, string> = {};
    for (const [i, draft] of drafts.entries()) {
        generations[`cp-${i + 1}`] = await putBundle(cluster, vms[i]?.vm_id ?? 0, draft);
    }
    const founded = await untilHealthy(cluster, generations);
    expect(founded.etcd_state).toBe("founded");
    for (const node of founded.nodes) {
        expect(node.phases.filter(({ state }) => state === "failed")).toEqual([]);
    }
    expect(cloud.nodes().map(({ state }) => state)).toEqual(["ready", "ready", "ready"]);

    // A shared file changes: every node gets a new generation, one after the other.
    for (const draft of drafts) {
        draft.bundle.files[sharedFile] = "KUBERNETES_VERSION='v1.35.4'\n";
    }
    await putPool(first);
    for (const [i, draft] of drafts.entries()) {
        generations[`cp-${i + 1}`] = await putBundle(cluster, vms[i]?.vm_id ?? 0, draft);
    }
    await untilHealthy(cluster, generations);

    const [old] = vms;
    cloud.terminateVm(old?.vm_id ?? 0);
    const replacement = await createNode(cluster, 1);
    const renewed = await goodDraft(ca, {
        clusterId,
        number: 1,
        address: replacement.interface_ipv4,
    });
    renewed.bundle.files[sharedFile] = "KUBERNETES_VERSION='v1.35.4'\n";
    generations["cp-1"] = await putBundle(cluster, replacement.vm_id, renewed);
    await untilHealthy(cluster, generations);
    expect(cloud.nodeLog(replacement.vm_id)?.join()).toContain("ready (simulated)");
});
