import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type LocalCloud, startLocalCloud } from "excloud-local";

import { providerText } from "../../../provider/declare-resource";
import * as v1 from "../../../provider/v1";
import { machine as machineInputs } from "../../support/machine";
import {
    type BootstrapProcess,
    startBootstrapServer,
} from "../local-cloud/support/bootstrap-process";
import { CallError, DynamicProcess, type Properties, secret } from "./support/dynamic-process";

// The text that every state file holds, run by the process that the engine runs it in: its protocol, the
// local cloud and the bootstrap server are real, only the engine itself is played here.

const types = Object.keys(v1).sort();

let dir: string;
let cloud: LocalCloud;
let bootstrap: BootstrapProcess;
let config: Properties;
let provider: DynamicProcess;
let server: Properties;

beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "dynamic-process-"));
    cloud = await startLocalCloud({
        dir: join(dir, "cloud"),
        nodes: "none",
        delays: { creating: 20, starting: 20, terminating: 20 },
    });
    bootstrap = await startBootstrapServer(join(dir, "server"), cloud.environment());
    config = {
        "excloud:apiKey": secret(cloud.apiKey),
        "excloud:computeBaseUrl": cloud.computeUrl,
        "excloud:dnsBaseUrl": cloud.dnsUrl,
        "excloud:iamBaseUrl": cloud.iamUrl,
        "excloud-k8s:bootstrapToken": secret(bootstrap.operatorToken),
    };
    server = { operatorUrl: bootstrap.url, caPem: bootstrap.caPem };
    provider = await DynamicProcess.start(config);
});

afterAll(async () => {
    await provider?.stop();
    await bootstrap?.close();
    await cloud?.close();
    rmSync(dir, { recursive: true, force: true });
});

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const file = (content: string) => `0644 root:root\n${content}`;
const machine = (more: Properties = {}): Properties => ({
    ...machineInputs(),
    bootstrap: server,
    ...more,
});
const group = (cidr: string): Properties => ({
    name: "exk8s-5-2a",
    description: "nodes",
    subnetId: 1,
    timeouts: { delete: 20 },
    rules: { api: { direction: "ingress", protocol: "TCPv4", portRange: "6443", cidr } },
});

/** Whether anything in a tree of outputs is undefined, which the engine would lose silently. */
function holdsUndefined(value: unknown): boolean {
    return typeof value === "object" && value !== null
        ? Object.values(value).some(holdsUndefined)
        : value === undefined;
}

describe("the literal of every type", () => {
    test.each(types)("%s is short and names the code", (type) => {
        expect(providerText(type).length).toBeLessThan(120);
        expect(providerText(type)).toBe(
            `exports.handler = () => require("excloud-k8s/provider/v1").${type};`,
        );
    });

    test.each(types)("%s is loaded by the process, from the program's folder", async (type) => {
        const { changes } = await provider.diff(type, "1", {}, {});
        // A record that is not configured is tried again by every up; nothing else has a change.
        expect(changes).toBe(type === "DnsRecord");
    });
});

/**
 * Lives a resource's whole life: check, create, read, an equal diff, update, delete, and a delete of what
 * is gone. Gives the outputs of creation.
 */
async function live(
    type: string,
    inputs: Properties,
    changed: Properties,
): Promise<{ id: string; outputs: Properties }> {
    const { inputs: checked, failures } = await provider.check(type, inputs);
    expect(failures).toEqual([]);
    const { id, outputs } = await provider.create(type, checked);
    expect(id).not.toBe("");
    expect(outputs["__provider"]).toBe(providerText(type));
    expect(holdsUndefined(outputs)).toBe(false);
    const unchanged = await provider.check(type, inputs, checked);
    expect(unchanged.inputs).toEqual(checked);
    expect(await provider.diff(type, id, outputs, unchanged.inputs)).toEqual({
        changes: false,
        replaces: [],
        deleteBeforeReplace: false,
    });
    const read = await provider.read(type, id, outputs);
    expect(read.id).toBe(id);
    expect(read.outputs).toEqual(outputs);
    if (read.inputs !== undefined) {
        expect(await provider.diff(type, id, read.outputs, read.inputs)).toMatchObject({
            changes: false,
        });
    }

    const next = (await provider.check(type, { ...inputs, ...changed }, checked)).inputs;
    expect(await provider.diff(type, id, outputs, next)).toMatchObject({
        changes: true,
        replaces: [],
    });
    const updated = await provider.update(type, id, outputs, next);
    expect(Object.keys(updated.outputs).sort()).toEqual(Object.keys(outputs).sort());
    expect(await provider.diff(type, id, updated.outputs, next)).toMatchObject({ changes: false });
    return { id, outputs: updated.outputs };
}

async function endTwice(type: string, id: string, outputs: Properties): Promise<void> {
    await provider.delete(type, id, outputs);
    await provider.delete(type, id, outputs);
}

describe("the life of each type", () => {
    test("SecurityGroup", async () => {
        const { id, outputs } = await live("SecurityGroup", group("10.0.0.0/8"), {
            rules: group("10.0.0.0/16")["rules"],
        });
        expect(cloud.call("ruleList", { security_group_id: Number(id) })).toMatchObject([
            { cidr: "10.0.0.0/16" },
        ]);
        await endTwice("SecurityGroup", id, outputs);
        expect(await provider.read("SecurityGroup", id, outputs)).toMatchObject({ id: "" });
    });

    test("VirtualMachine and NodeAddress", async () => {
        const { id: groupId } = cloud.call("securityGroupCreate", { name: "other" });
        const { id, outputs } = await live("VirtualMachine", machine(), {
            securityGroupIds: [groupId],
        });
        expect(cloud.call("vmGet", { vm_id: id }).state).toBe("RUNNING");

        const address = await provider.create("NodeAddress", { vmId: id });
        expect(address.outputs).toMatchObject({
            vmId: id,
            privateIpv4: cloud.call("vmGet", { vm_id: id }).interface_ipv4,
            privateIpv6: "",
            publicIpv4: "",
        });
        expect((await provider.read("NodeAddress", id, address.outputs)).outputs).toEqual(
            address.outputs,
        );
        expect(
            await provider.diff("NodeAddress", id, address.outputs, { vmId: "999" }),
        ).toMatchObject({ replaces: ["vmId"] });
        await endTwice("NodeAddress", id, address.outputs);

        await endTwice("VirtualMachine", id, outputs);
        expect(cloud.call("vmGet", { vm_id: id }).state).toBe("TERMINATED");
        expect(await provider.read("VirtualMachine", id, outputs)).toMatchObject({ id: "" });
    });

    test("DnsRecord", async () => {
        const record = {
            zoneName: "k8s.excloud.co.in",
            type: "A",
            name: "exk8s-5-2a",
            values: ["10.0.0.1"],
            ttl: 60,
        };
        const { id, outputs } = await live("DnsRecord", record, { values: ["10.0.0.2"] });
        expect(outputs).toMatchObject({ dnsConfigured: true, reason: "" });
        await endTwice("DnsRecord", id, outputs);
        expect(cloud.inventory().records).toEqual([]);
    });

    test("ClusterRegistration, NodeSlot, RoleFiles, NodeBundle and ClusterReadiness", async () => {
        const registered = await provider.create("ClusterRegistration", {
            bootstrap: server,
            key: "organization/quickstart/dev/life",
        });
        const clusterId = registered.outputs["clusterId"] as number;
        expect(registered.id).toBe(String(clusterId));
        expect(registered.outputs).toMatchObject({
            clusterName: `exk8s-5-${clusterId.toString(16)}`,
            orgId: 5,
            verifierMode: "selfHosted",
        });
        const again = await provider.read("ClusterRegistration", registered.id, registered.outputs);
        expect(again.outputs).toEqual(registered.outputs);
        const renewed = await provider.update(
            "ClusterRegistration",
            registered.id,
            registered.outputs,
            { bootstrap: { ...server }, key: "organization/quickstart/dev/life" },
        );
        expect(renewed.outputs).toEqual(registered.outputs);

        const ofCluster = { bootstrap: server, clusterId };
        const slot = await live(
            "NodeSlot",
            {
                ...ofCluster,
                slot: "cp-1",
                role: "control-plane",
                nodeName: `cp-1.cluster-${clusterId}.internal`,
            },
            // The same server at another of its names.
            {
                bootstrap: {
                    ...server,
                    operatorUrl: bootstrap.url.replace("127.0.0.1", "localhost"),
                },
            },
        );
        expect(slot.outputs["slotSecret"]).toMatch(/^[0-9a-f]{64}$/);

        const manifestOf = (path: string, content: string) => ({
            [path]: `${sha256(content)} 0644 root:root`,
        });
        const filesOf = (path: string, content: string) => ({
            files: { [path]: file(content) },
            secretFiles: {},
            secretDigests: {},
            manifest: manifestOf(path, content),
        });
        const role = await live(
            "RoleFiles",
            {
                ...ofCluster,
                role: "control-plane",
                slots: ["cp-1"],
                ...filesOf("/etc/shared", "one"),
            },
            filesOf("/etc/shared", "two"),
        );
        expect(JSON.stringify(role.outputs)).not.toContain("root:root\\ntwo");

        const roleManifest = manifestOf("/etc/shared", "two");
        const bundle = await live(
            "NodeBundle",
            {
                ...ofCluster,
                slot: "cp-1",
                vmId: "4242",
                address: "10.0.0.1",
                ...filesOf("/etc/own", "three"),
                roleManifest,
            },
            filesOf("/etc/own", "four"),
        );
        expect(bundle.outputs["generation"]).toBe(
            sha256(
                [
                    `/etc/own\t${sha256("four")}\t0644\troot:root\n`,
                    `/etc/shared\t${sha256("two")}\t0644\troot:root\n`,
                ].join(""),
            ),
        );
        expect(JSON.stringify(bundle.outputs)).not.toContain("root:root\\nfour");

        // No node reports in this test: what is shown is that the wait is bounded and says what it saw.
        const waiting = { ...ofCluster, generations: { "cp-1": "0".repeat(64) }, timeout: 0 };
        await expect(provider.create("ClusterReadiness", waiting)).rejects.toThrow(
            /1 of 1 nodes are not ready after 0 s:\n {2}cp-1: .+\nNext: /,
        );
        const id = `${clusterId}/ready`;
        await expect(
            provider.update("ClusterReadiness", id, { ...waiting, timeout: 9 }, waiting),
        ).rejects.toThrow("1 of 1 nodes are not ready after 0 s");
        const read = await provider.read("ClusterReadiness", id, waiting);
        expect(read).toMatchObject({ id, outputs: waiting });
        await endTwice("ClusterReadiness", id, waiting);

        await endTwice("NodeBundle", bundle.id, bundle.outputs);
        await endTwice("RoleFiles", role.id, role.outputs);
        await endTwice("NodeSlot", slot.id, slot.outputs);
        for (const [type, gone] of [
            ["NodeBundle", bundle],
            ["RoleFiles", role],
            ["NodeSlot", slot],
        ] as const) {
            expect(await provider.read(type, gone.id, gone.outputs)).toMatchObject({ id: "" });
        }
        await endTwice("ClusterRegistration", registered.id, registered.outputs);
        expect(
            await provider.read("ClusterRegistration", registered.id, registered.outputs),
        ).toMatchObject({ id: "" });
    });
});

describe("failures", () => {
    test("a failure of check carries the property it is about", async () => {
        const { failures } = await provider.check(
            "VirtualMachine",
            machine({ subnetId: 99, imageId: 99, instanceType: "huge" }),
        );
        expect(failures).toEqual([
            { property: "subnetId", reason: expect.stringContaining("There are 1 (DEFAULT)") },
            { property: "imageId", reason: expect.stringContaining("no image has this id") },
            { property: "instanceType", reason: expect.stringContaining("t1a.medium") },
        ]);
        expect(cloud.inventory().vms).toEqual([]);
    });

    test("a VM that does not run in time is handed over with its id and all it needs later", async () => {
        const slow = machine({ timeouts: { create: 0, delete: 20 } });
        const error = await provider.create("VirtualMachine", slow).catch((e: unknown) => e);
        expect(error).toBeInstanceOf(CallError);
        const { message, unfinished } = error as CallError;
        expect(message).toContain("VM exk8s-5-2a-cp-1");
        expect(unfinished).toEqual({
            id: String(cloud.inventory().vms[0]?.vm_id),
            properties: {
                ...{ ...slow, state: "RUNNING", hasRun: false },
                __provider: providerText("VirtualMachine"),
            },
            reasons: [message],
        });
        // What the engine does next: an update, then, one day, a delete, from these properties alone.
        const { id, properties } = unfinished!;
        await provider.update("VirtualMachine", id, properties, machine());
        expect(cloud.call("vmGet", { vm_id: id }).state).toBe("RUNNING");
        await provider.delete("VirtualMachine", id, properties);
        expect(cloud.inventory().vms).toEqual([]);
    });

    test("any other error is plain: a message, no resource", async () => {
        const wrong = machine({ subnetId: 99 });
        const error = (await provider
            .create("VirtualMachine", wrong)
            .catch((e: unknown) => e)) as CallError;
        expect(error.message).toContain("/compute/create answered 404");
        expect(error.unfinished).toBeUndefined();
    });

    test("a file that both the node and its role have is refused", async () => {
        const manifest = { "/etc/a": `${sha256("a")} 0644 root:root` };
        const twice = {
            ...{ bootstrap: server, clusterId: 42, slot: "cp-1", vmId: "1", address: "10.0.0.1" },
            ...{ files: {}, secretFiles: {}, secretDigests: {} },
            manifest,
            roleManifest: manifest,
        };
        await expect(provider.check("NodeBundle", twice)).rejects.toThrow(
            "file /etc/a is given by the node and by its role",
        );
    });

    test("no stack trace reaches the terminal, whichever call fails", async () => {
        const stray = await DynamicProcess.start({
            ...config,
            "excloud:apiKey": secret("exk_of-nobody"),
        });
        try {
            const properties = machine();
            const calls = [
                () => stray.check("VirtualMachine", properties),
                () => stray.create("VirtualMachine", properties),
                () => stray.read("VirtualMachine", "1", properties),
                () => stray.update("VirtualMachine", "1", properties, properties),
                () => stray.delete("VirtualMachine", "1", properties),
            ];
            for (const call of calls) {
                await expect(call()).rejects.toThrow(/401|does not run/);
            }
            expect(stray.stderr).not.toMatch(/^\s*at /m);
            expect(stray.stderr + stray.stdout).not.toContain("of-nobody");
        } finally {
            await stray.stop();
        }
        expect(provider.stderr).not.toMatch(/^\s*at /m);
    });
});

describe("configuration", () => {
    const checkPlacement = (process: DynamicProcess) => process.check("VirtualMachine", machine());

    test("a secret of the stack's configuration reaches the handlers", async () => {
        // The process above was given the key in no other way.
        expect((await checkPlacement(provider)).failures).toEqual([]);
    });

    test("the environment wins over the configuration", async () => {
        const other = await DynamicProcess.start(
            {
                ...config,
                "excloud:apiKey": secret("stale"),
                "excloud:computeBaseUrl": "http://127.0.0.1:9",
            },
            { EXCLOUD_API_KEY: cloud.apiKey, EXCLOUD_COMPUTE_BASE_URL: cloud.computeUrl },
        );
        try {
            expect((await checkPlacement(other)).failures).toEqual([]);
        } finally {
            await other.stop();
        }
    });

    test("what is missing is said where it is needed, and how to set it", async () => {
        const bare = await DynamicProcess.start({});
        try {
            await expect(checkPlacement(bare)).rejects.toThrow(
                "no Excloud API key was found. Next: set EXCLOUD_API_KEY, " +
                    "or `pulumi config set --secret excloud:apiKey`, or log in with `exc login`",
            );
            const key = { bootstrap: server, key: "organization/quickstart/dev/bare" };
            await expect(bare.create("ClusterRegistration", key)).rejects.toThrow(
                "set EXCLOUD_BOOTSTRAP_TOKEN",
            );
            expect(bare.stderr).not.toMatch(/^\s*at /m);
        } finally {
            await bare.stop();
        }
    });
});
