import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type TObject, type TSchema, Type } from "@sinclair/typebox";
import { Agent, request } from "undici";

import { type LocalCloud, startLocalCloud } from "../../../local-cloud/src/index";
import { type Operation, type OperationName, operations } from "../../../provider/api";
import { vmRequest } from "../../support/vm-request";

const instant = { creating: 0, starting: 0, stopping: 0, restarting: 0, terminating: 0 };

let dir: string;
let cloud: LocalCloud;

async function restart(options: { tokenLifetimeMs?: number } = {}): Promise<void> {
    cloud = await startLocalCloud({ dir, delays: instant, ...options });
}

beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), "local-cloud-"));
    await restart();
});
afterAll(async () => {
    await cloud.close();
    rmSync(dir, { recursive: true });
});

interface Answer {
    status: number;
    body: unknown;
}

const bases = (): Record<string, string> => ({
    compute: cloud.computeUrl,
    dns: cloud.dnsUrl,
    iam: cloud.iamUrl,
});

/** One call as text goes over the wire: nothing of the provider's client is between. */
async function send(
    operation: Pick<Operation, "service" | "method" | "path">,
    {
        body,
        query = "",
        bearer = cloud.apiKey,
    }: { body?: unknown; query?: string; bearer?: string } = {},
): Promise<Answer> {
    const url = `${bases()[operation.service]}${operation.path.replace(/\{\w+\}/g, "1")}${query}`;
    const response = await request(url, {
        method: operation.method,
        headers: {
            ...(bearer === "" ? {} : { authorization: `Bearer ${bearer}` }),
            ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.statusCode, body: await response.body.json() };
}

const call = (name: OperationName, body?: unknown, query?: string): Promise<Answer> =>
    send(operations[name], { body, ...(query === undefined ? {} : { query }) });

const refusal = (status: number, code: string) => ({
    status,
    body: {
        error: {
            code,
            message: expect.any(String),
            request_id: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/),
        },
    },
});

/** Some value that fits a schema, as far as the schemas of the table go. */
function sample(schema: TSchema): unknown {
    if (schema["const"] !== undefined) {
        return schema["const"];
    }
    if (Array.isArray(schema["anyOf"])) {
        return sample((schema["anyOf"] as TSchema[])[0] ?? Type.Null());
    }
    switch (schema["type"]) {
        case "object":
            return Object.fromEntries(
                ((schema["required"] as string[] | undefined) ?? []).map((key) => [
                    key,
                    sample((schema as TObject).properties[key] ?? Type.Null()),
                ]),
            );
        case "array":
            return [];
        case "integer":
            return 1;
        case "boolean":
            return false;
        case "string":
            return String(schema["pattern"] ?? "").includes("ANY") ? "ANY" : "sample";
        default:
            throw new Error(`no sample of ${JSON.stringify(schema)}`);
    }
}

const wrongFor = (schema: TSchema): unknown => (schema["type"] === "string" ? 7 : "seven");

const table = (Object.keys(operations) as OperationName[]).map(
    (name): [OperationName, Operation] => [name, operations[name]],
);

describe("every operation of the table", () => {
    test.each(table)("%s needs a valid bearer token", async (_name, operation) => {
        const code = `${operation.service}.auth.unauthenticated`;
        expect(await send(operation, { bearer: "" })).toEqual(refusal(401, code));
        expect(await send(operation, { bearer: "wrong" })).toEqual(refusal(401, code));
    });

    test.each(table)("%s refuses an unknown query parameter", async (_name, operation) => {
        const body = operation.body === undefined ? undefined : sample(operation.body);
        expect(await send(operation, { body, query: "?surprise=1" })).toEqual(
            refusal(400, `${operation.service}.request.invalid`),
        );
    });

    const withBody = table.filter(([, { body }]) => body !== undefined);
    test.each(withBody)("%s is strict about its body", async (_name, operation) => {
        const schema = operation.body ?? Type.Object({});
        const good = sample(schema) as Record<string, unknown>;
        const invalid = refusal(400, `${operation.service}.request.invalid`);
        expect(await send(operation, { body: { ...good, surprise: 1 } })).toEqual(invalid);
        expect(await send(operation, { body: [good] })).toEqual(invalid);
        expect(await send(operation, { body: "{" })).toEqual(invalid);
        expect(await send(operation, {})).toEqual(invalid);
        for (const [member, memberSchema] of Object.entries<TSchema>(schema.properties)) {
            const wrong = { ...good, [member]: wrongFor(memberSchema) };
            expect([member, await send(operation, { body: wrong })]).toEqual([member, invalid]);
        }
        for (const member of schema["required"] ?? []) {
            const rest = Object.fromEntries(Object.entries(good).filter(([key]) => key !== member));
            expect([member, await send(operation, { body: rest })]).toEqual([member, invalid]);
        }
        const fits = await send(operation, { body: good });
        expect(JSON.stringify(fits.body)).not.toContain(`${operation.service}.request.invalid`);
    });

    const withId = table.filter(([, operation]) => operation.path.includes("{"));
    test.each(withId)("%s refuses an id that is no number", async (_name, operation) => {
        const bad = { ...operation, path: operation.path.replace(/\{\w+\}/, "abc") };
        expect(await send(bad)).toEqual(refusal(400, `${operation.service}.request.invalid`));
    });
});

test("an unknown path is refused with the envelope", async () => {
    expect(await send({ service: "dns", method: "GET", path: "/nothing" })).toEqual(
        refusal(404, "dns.route.not_found"),
    );
});

test("the API key is kept in a file for its owner only", () => {
    expect(statSync(cloud.apiKeyFile).mode & 0o777).toBe(0o600);
});

const create = vmRequest({ instance_type: "t1a.micro" });

async function createVm(more: object = {}): Promise<number> {
    const { status, body } = await call("vmCreate", { ...create, ...more });
    expect(status).toBe(200);
    return (body as { vm_id: number }).vm_id;
}

interface VmAnswer {
    state: string;
    interface_ipv4: string;
    public_ipv4: string | null;
    root_volume_id: number;
    interfaces?: { id: number; security_group_ids: number[] }[];
}
const getVm = async (vmId: number): Promise<VmAnswer> =>
    (await send({ ...operations.vmGet, path: `/compute/${vmId}` })).body as VmAnswer;

async function untilState(vmId: number, state: string): Promise<VmAnswer> {
    for (let tries = 0; tries < 500; tries++) {
        const vm = await getVm(vmId);
        if (vm.state === state) {
            return vm;
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`VM ${vmId} is not ${state}`);
}

async function terminate(vmId: number): Promise<void> {
    await call("vmTerminate", { vm_id: vmId, delete_root_volume: true });
    await untilState(vmId, "TERMINATED");
}

describe("VMs", () => {
    test.each<[string, object, number, string]>([
        ["zone", { zone_id: 2 }, 400, "compute.zone.unknown"],
        [
            "root volume's zone",
            { root_volume: { size_gib: 8, zone_id: 2 } },
            400,
            "compute.zone.unknown",
        ],
        ["project", { project_id: 2 }, 404, "compute.project.not_found"],
        ["subnet", { subnet_id: 9 }, 404, "compute.subnet.not_found"],
        ["image", { image_id: 99 }, 404, "compute.image.not_found"],
        ["instance type", { instance_type: "e2.medium" }, 400, "compute.instance_type.unknown"],
        ["group", { security_group_ids: [999] }, 404, "compute.security_group.not_found"],
        [
            "public address in a private subnet",
            { subnet_id: 2, allocate_public_ipv4: true },
            400,
            "compute.subnet.public_ipv4_disabled",
        ],
        [
            "reservation",
            { public_ipv4_reservation_id: 9 },
            404,
            "compute.public_ipv4_reservation.not_found",
        ],
        ["large user data", { user_data: "é".repeat(8193) }, 400, "compute.user_data.too_large"],
        ["upper-case name", { name: "Vm" }, 400, "compute.request.invalid"],
        ["name with a dot", { name: "a.b" }, 400, "compute.request.invalid"],
    ])("are not created with a wrong %s", async (_what, change, status, code) => {
        const before = cloud.inventory();
        expect(await call("vmCreate", { ...create, ...change })).toEqual(refusal(status, code));
        expect(cloud.inventory()).toEqual(before);
    });

    test("user data may be as large as the limit", async () => {
        await terminate(await createVm({ user_data: "a".repeat(16384) }));
    });

    test("answer a create with a state that passes and without interfaces", async () => {
        const { status, body } = await call("vmCreate", create);
        expect(status).toBe(200);
        expect(body).toMatchObject({ state: "CREATING", name: "vm-1", public_ipv4: null });
        expect(body).not.toHaveProperty("interfaces");
        expect(body).not.toHaveProperty("user_data");
        const vm = await untilState((body as { vm_id: number }).vm_id, "RUNNING");
        expect(vm.interfaces).toHaveLength(1);
        await terminate((body as { vm_id: number }).vm_id);
    });

    test("of the same name are two VMs", async () => {
        const [one, two] = [await createVm(), await createVm()];
        expect(one).not.toBe(two);
        const first = await getVm(one);
        expect(first.interface_ipv4).not.toBe((await getVm(two)).interface_ipv4);
        await terminate(one);
        await terminate(two);
    });

    test("that are TERMINATED are hidden in the list and seen by a get", async () => {
        const vmId = await createVm();
        expect((await call("vmList")).body).toHaveLength(1);
        await terminate(vmId);
        expect((await call("vmList")).body).toEqual([]);
        expect((await getVm(vmId)).state).toBe("TERMINATED");
        const again = await call("vmTerminate", { vm_id: vmId });
        expect(again).toMatchObject({ status: 200, body: { state: "TERMINATED" } });
    });

    test("keep their root volume unless told otherwise", async () => {
        const kept = await createVm({ root_volume: { size_gib: 8 } });
        const { root_volume_id } = await getVm(kept);
        await call("vmTerminate", { vm_id: kept });
        await untilState(kept, "TERMINATED");
        expect(cloud.inventory().volumes).toEqual([
            expect.objectContaining({
                id: root_volume_id,
                state: "AVAILABLE",
                size_bytes: 8 * 1024 ** 3,
            }),
        ]);
        await terminate(await createVm());
        expect(cloud.inventory().volumes).toHaveLength(1);
    });

    test("under delete protection are not terminated", async () => {
        const vmId = await createVm();
        await call("vmRename", { vm_id: vmId, delete_protection: true });
        expect(await call("vmTerminate", { vm_id: vmId })).toEqual(
            refusal(409, "compute.instance.delete_protected"),
        );
        expect(await call("vmRename", { vm_id: vmId, name: "other" })).toMatchObject({
            body: { name: "other", delete_protection: true },
        });
        await call("vmRename", { vm_id: vmId, delete_protection: false });
        await terminate(vmId);
    });

    test("need something to be renamed to", async () => {
        const vmId = await createVm();
        expect(await call("vmRename", { vm_id: vmId })).toEqual(
            refusal(400, "compute.instance.nothing_to_update"),
        );
        await terminate(vmId);
    });

    test("lose their public address on stop unless it is reserved", async () => {
        const vmId = await createVm({ allocate_public_ipv4: true });
        const { public_ipv4: first } = await untilState(vmId, "RUNNING");
        await call("vmStop", { vm_id: vmId });
        expect((await untilState(vmId, "STOPPED")).public_ipv4).toBeNull();
        await call("vmStart", { vm_id: vmId });
        const { public_ipv4: second } = await untilState(vmId, "RUNNING");
        expect(second).not.toBe(first);
        await call("vmStop", { vm_id: vmId, reserve_public_ipv4: true });
        expect((await untilState(vmId, "STOPPED")).public_ipv4).toBe(second);
        await terminate(vmId);
        const [reservation] = cloud.inventory().reservations;
        expect(reservation).toMatchObject({ ip: second, vm_id: null });
        const heir = await createVm({ public_ipv4_reservation_id: reservation?.id });
        expect((await getVm(heir)).public_ipv4).toBe(second);
        await terminate(heir);
    });
});

describe("security groups", () => {
    const group = async (name: string): Promise<number> =>
        ((await call("securityGroupCreate", { name })).body as { id: number }).id;
    const rule = {
        is_ingress: true,
        protocol: "TCPv4",
        port_range: "6443",
        cidr: "0.0.0.0/0",
    };

    test("have names of their own", async () => {
        const id = await group("unique");
        expect(await call("securityGroupCreate", { name: "unique" })).toEqual(
            refusal(409, "compute.security_group.duplicate_name"),
        );
        await call("securityGroupDelete", { security_group_id: id });
        expect(await call("securityGroupDelete", { security_group_id: id })).toEqual(
            refusal(404, "compute.security_group.not_found"),
        );
    });

    test("are not deleted before the VM they are bound to is TERMINATED", async () => {
        const id = await group("bound");
        const vmId = await createVm({ security_group_ids: [id] });
        const inUse = refusal(409, "compute.security_group.in_use");
        expect(await call("securityGroupDelete", { security_group_id: id })).toEqual(inUse);
        // Both within one turn of the event loop: the VM cannot move on in between.
        cloud.terminateVm(vmId);
        expect(cloud.call("vmGet", { vm_id: vmId }).state).toBe("TERMINATING");
        expect(() => cloud.call("securityGroupDelete", { security_group_id: id })).toThrow(
            expect.objectContaining({ status: 409, code: "compute.security_group.in_use" }),
        );
        await untilState(vmId, "TERMINATED");
        expect((await call("securityGroupDelete", { security_group_id: id })).status).toBe(200);
    });

    test("are bound and unbound, once each", async () => {
        const id = await group("binding");
        const vmId = await createVm();
        const [nic] = (await getVm(vmId)).interfaces ?? [];
        const binding = { interface_id: nic?.id, security_group_id: id };
        expect((await call("bindingCreate", binding)).status).toBe(200);
        expect((await call("bindingCreate", binding)).status).toBe(200);
        expect((await call("bindingList", undefined, `?security_group_id=${id}`)).body).toEqual([
            binding,
        ]);
        expect(await call("bindingList")).toEqual(
            refusal(400, "compute.security_group_binding.target_missing"),
        );
        expect((await call("bindingDelete", binding)).status).toBe(200);
        expect(await call("bindingDelete", binding)).toEqual(
            refusal(404, "compute.security_group_binding.not_found"),
        );
        await terminate(vmId);
        await call("securityGroupDelete", { security_group_id: id });
    });

    test.each<[string, object, string]>([
        ["no CIDR", { cidr: "everywhere/0" }, "invalid_cidr"],
        ["an address without length", { cidr: "10.0.0.1" }, "invalid_cidr"],
        ["the other family", { cidr: "::/0" }, "invalid_cidr"],
        ["ports the wrong way round", { port_range: "20-10" }, "invalid_port_range"],
        ["a port too high", { port_range: "65536" }, "invalid_port_range"],
    ])("have no rules with %s", async (_what, change, code) => {
        const id = await group("ruled");
        expect(await call("ruleCreate", { ...rule, security_group_id: id, ...change })).toEqual(
            refusal(400, `compute.security_group_rule.${code}`),
        );
        await call("securityGroupDelete", { security_group_id: id });
    });

    test("have each rule once, and lose all with the group", async () => {
        const id = await group("ruled");
        const wish = { ...rule, security_group_id: id };
        const first = (await call("ruleCreate", wish)).body as { id: number };
        expect(await call("ruleCreate", { ...wish, description: "again" })).toEqual(
            refusal(409, "compute.security_group_rule.duplicate"),
        );
        expect((await call("ruleList", undefined, `?security_group_id=${id}`)).body).toEqual([
            { ...wish, id: first.id, description: "" },
        ]);
        cloud.deleteRule(first.id);
        expect((await call("ruleList", undefined, `?security_group_id=${id}`)).body).toEqual([]);
        await call("ruleCreate", wish);
        await call("securityGroupDelete", { security_group_id: id });
        expect(await call("ruleList", undefined, `?security_group_id=${id}`)).toEqual(
            refusal(404, "compute.security_group.not_found"),
        );
    });
});

describe("DNS", () => {
    const zone_name = "k8s.excloud.co.in";
    const record = { zone_name, type: "A", name: "exk8s-5-2a", value: "127.64.0.10" };

    test("has records only in zones that exist", async () => {
        expect(await call("recordCreate", { ...record, zone_name: "example.com" })).toEqual(
            refusal(404, "dns.zone.not_found"),
        );
    });

    test("has one record per value, and each once", async () => {
        expect(await call("recordCreate", record)).toMatchObject({ status: 200, body: record });
        expect(await call("recordCreate", record)).toEqual(refusal(409, "dns.record.duplicate"));
        const second = { ...record, value: "127.64.0.11", ttl: 60 };
        expect((await call("recordCreate", second)).status).toBe(200);
        expect(await call("recordCreate", { ...record, type: "CNAME", value: "a.b." })).toEqual(
            refusal(409, "dns.record.cname_conflict"),
        );
        expect((await call("recordList", undefined, `?zone_name=${zone_name}`)).body).toEqual([
            { ...record, ttl: 300 },
            second,
        ]);
        expect((await call("recordDelete", record)).status).toBe(200);
        expect(await call("recordDelete", record)).toEqual(refusal(404, "dns.record.not_found"));
        cloud.deleteRecord({ zone_name, type: "A", name: record.name, value: second.value });
        expect(cloud.inventory().records).toEqual([]);
    });

    test.each<[object, string]>([
        [{ value: "300.1.1.1" }, "dns.record.invalid_value"],
        [{ type: "AAAA" }, "dns.record.invalid_value"],
        [{ name: "Upper case" }, "dns.record.invalid_name"],
        [{ type: "CNAME", name: "@", value: "a.b" }, "dns.record.cname_at_apex"],
    ])("refuses %j", async (change, code) => {
        expect(await call("recordCreate", { ...record, ...change })).toEqual(refusal(400, code));
    });
});

describe("snapshots", () => {
    test("are made of volumes that exist", async () => {
        expect(await call("snapshotCreate", { volume_id: 9999, name: "s" })).toEqual(
            refusal(404, "compute.volume.not_found"),
        );
        const vmId = await createVm();
        const { root_volume_id } = await getVm(vmId);
        const { body } = await call("snapshotCreate", { volume_id: root_volume_id, name: "s" });
        const { id } = body as { id: number };
        expect(body).toMatchObject({ state: "CREATING", is_ami: false });
        const whole = { ...(body as object), state: "AVAILABLE" };
        expect((await call("snapshotList")).body).toEqual([whole]);
        await call("snapshotDelete", { snapshot_id: id });
        expect(await call("snapshotDelete", { snapshot_id: id })).toEqual(
            refusal(404, "compute.snapshot.not_found"),
        );
        await terminate(vmId);
    });

    test("that are marked as images are listed as such, and VMs are made of them", async () => {
        const vmId = await createVm();
        const { root_volume_id } = await getVm(vmId);
        const { body } = await call("snapshotCreate", {
            volume_id: root_volume_id,
            name: "baked",
            is_ami: true,
        });
        const { id } = body as { id: number };
        expect((await call("imageList")).body).toContainEqual({ id, name: "baked" });
        const other = await createVm({ image_id: id });
        expect(await getVm(other)).toMatchObject({ image_name: "baked" });
        await call("snapshotDelete", { snapshot_id: id });
        expect((await call("imageList")).body).not.toContainEqual({ id, name: "baked" });
        await terminate(vmId);
        await terminate(other);
    });
});

describe("tokens of VMs", () => {
    let vmId: number;
    let address: string;
    let other: string;

    beforeEach(async () => {
        vmId = await createVm();
        address = (await untilState(vmId, "RUNNING")).interface_ipv4;
        const otherId = await createVm();
        other = (await untilState(otherId, "RUNNING")).interface_ipv4;
    });

    /** A request to IMDS from the address of a VM. */
    async function imds(from: string, what: string, token?: string) {
        const dispatcher = new Agent({ localAddress: from });
        const response = await request(`${cloud.imdsUrl}${what}`, {
            dispatcher,
            headers: token === undefined ? {} : { "x-exc-imds-token": token },
        });
        const text = await response.body.text();
        await dispatcher.destroy();
        return { status: response.statusCode, text };
    }
    const accessToken = async (): Promise<string> => {
        const { text: session } = await imds(address, "/token");
        const { text } = await imds(address, "/latest/identity/access-token", session);
        return (JSON.parse(text) as { access_token: string }).access_token;
    };
    const me = (bearer: string) => send(operations.me, { bearer });

    test("come from IMDS, to the VM that calls and to no other", async () => {
        expect((await imds("127.0.0.1", "/token")).status).toBe(404);
        const { text: session } = await imds(address, "/token");
        const identity = await imds(address, "/latest/identity/node-identity", session);
        expect(JSON.parse(identity.text)).toEqual({ node_id: vmId });
        for (const token of [undefined, "wrong"]) {
            expect((await imds(address, "/latest/identity/node-identity", token)).status).toBe(401);
        }
        expect((await imds(other, "/latest/identity/access-token", session)).status).toBe(401);
    });

    test("say who the VM is to IAM, and open nothing else", async () => {
        const bearer = await accessToken();
        expect((await me(bearer)).body).toEqual({ org_id: 5, kind: "machine", vm_id: vmId });
        expect((await call("me")).body).toEqual({ org_id: 5, kind: "user", account_id: 1 });
        expect(await send(operations.vmList, { bearer })).toEqual(
            refusal(403, "compute.auth.forbidden"),
        );
        expect(await send(operations.zoneList, { bearer })).toEqual(
            refusal(403, "dns.auth.forbidden"),
        );
        const { text: session } = await imds(address, "/token");
        expect(await me(session)).toEqual(refusal(401, "iam.auth.unauthenticated"));
    });

    test("end with the VM, and by time", async () => {
        const bearer = await accessToken();
        await terminate(vmId);
        expect(await me(bearer)).toEqual(refusal(401, "iam.auth.unauthenticated"));
        expect((await imds(address, "/token")).status).toBe(404);

        await cloud.close();
        await restart({ tokenLifetimeMs: 0 });
        const late = await createVm();
        address = (await untilState(late, "RUNNING")).interface_ipv4;
        const { text: session } = await imds(address, "/token");
        const answer = await imds(address, "/latest/identity/access-token", session);
        expect(answer.status).toBe(401);
    });
});
