import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Agent, request } from "undici";

import {
    type CallFaultSpec,
    type FaultKind,
    faultKinds,
    kindsFor,
    type LocalCloud,
    startLocalCloud,
} from "../../../local-cloud/src/index";
import { type OperationName, operations } from "../../../provider/api";
import { vmRequest } from "../../support/vm-request";

const none = { creating: 0, starting: 0, stopping: 0, restarting: 0, terminating: 0 };

let dir: string;
let cloud: LocalCloud;
let agent: Agent;

beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), "local-cloud-"));
    cloud = await startLocalCloud({ dir, nodes: "none", delays: none });
    agent = new Agent();
});
afterEach(() => cloud.faults.clear());
afterAll(async () => {
    await cloud.close();
    await agent.close();
    rmSync(dir, { recursive: true });
});

/** What a client saw of a call: an answer up to its end, or where it broke off. */
interface Seen {
    status?: number;
    headers?: Record<string, unknown>;
    text?: string;
    /** Milliseconds between the headers and the end of the body. */
    bodyMs?: number;
    brokeOff?: "before the headers" | "in the body";
}

interface Sent {
    method?: "GET" | "POST" | "PUT" | "DELETE";
    body?: object;
    bearer?: string;
    signal?: AbortSignal;
}

async function send(url: string, { method, body, bearer, signal }: Sent = {}): Promise<Seen> {
    const seen: Seen = {};
    try {
        const answer = await request(url, {
            dispatcher: agent,
            method: method ?? (body === undefined ? "GET" : "POST"),
            headers: {
                authorization: `Bearer ${bearer ?? cloud.apiKey}`,
                ...(body === undefined ? {} : { "content-type": "application/json" }),
            },
            body: body === undefined ? null : JSON.stringify(body),
            ...(signal === undefined ? {} : { signal }),
        });
        seen.status = answer.statusCode;
        seen.headers = answer.headers;
        const start = performance.now();
        seen.text = await answer.body.text();
        seen.bodyMs = performance.now() - start;
    } catch {
        seen.brokeOff = seen.status === undefined ? "before the headers" : "in the body";
    }
    return seen;
}

const compute = (name: OperationName, sent: Sent = {}): Promise<Seen> =>
    send(cloud.computeUrl + operations[name].path, sent);

let lastGroup = 0;
const newGroup = (): string => `group-${++lastGroup}`;
const createGroup = (name = newGroup(), sent: Sent = {}): Promise<Seen> =>
    compute("securityGroupCreate", { body: { name }, ...sent });
const exists = (group: string): boolean =>
    cloud.inventory().securityGroups.some(({ name }) => name === group);

/** Creates a VM over HTTP; the answer must be good. */
async function createVm(name: string): Promise<number> {
    const { status, text = "" } = await compute("vmCreate", { body: vmRequest({ name }) });
    expect(status).toBe(200);
    const vm = JSON.parse(text) as { vm_id: number; state: string };
    expect(vm.state).toBe("CREATING");
    return vm.vm_id;
}
const stateOf = (vm_id: number) => cloud.call("vmGet", { vm_id }).state;

async function until(isSo: () => boolean): Promise<void> {
    for (let tries = 0; !isSo(); tries++) {
        if (tries > 500) {
            throw new Error("it does not come to be");
        }
        await sleep(10);
    }
}

const isJson = (text: string | undefined): boolean => {
    try {
        JSON.parse(text ?? "");
        return true;
    } catch {
        return false;
    }
};

const envelope = (status: number, code: string, retryAfter?: string) => (seen: Seen) => {
    expect(seen.status).toBe(status);
    expect(seen.headers?.["retry-after"]).toBe(retryAfter);
    expect(seen.headers?.["content-type"]).toContain("application/json");
    expect(JSON.parse(seen.text ?? "")).toEqual({
        error: {
            code,
            message: expect.any(String),
            request_id: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/),
        },
    });
};

const noAnswer = (seen: Seen) => expect(seen).toEqual({ brokeOff: "before the headers" });

type OwnTests = "stale-list" | "vm-error" | "vm-stuck";

/** What the client sees of a creation that is hit. */
const expected: Record<Exclude<FaultKind, OwnTests>, (seen: Seen) => void> = {
    "status-400": envelope(400, "compute.request.invalid"),
    "status-401": envelope(401, "compute.auth.unauthenticated"),
    "status-403": envelope(403, "compute.auth.forbidden"),
    "status-404": envelope(404, "compute.resource.not_found"),
    "status-409": envelope(409, "compute.resource.conflict"),
    "status-429": envelope(429, "compute.request.rate_limited"),
    "status-429-retry-after": envelope(429, "compute.request.rate_limited", "1"),
    "status-500": envelope(500, "compute.internal"),
    "status-502": envelope(502, "compute.gateway.no_answer"),
    "status-503": envelope(503, "compute.service.unavailable"),
    "status-503-retry-after": envelope(503, "compute.service.unavailable", "1"),
    html: ({ status, headers, text }) => {
        expect(status).toBe(200);
        expect(headers?.["content-type"]).toContain("text/html");
        expect(text).toMatch(/^<!doctype html>/);
    },
    truncated: ({ status, headers, text = "" }) => {
        expect(status).toBe(200);
        expect(headers?.["content-type"]).toContain("application/json");
        expect(headers?.["content-length"]).toBe(String(text.length));
        expect(text).toMatch(/^\{"id":/);
        expect(isJson(text)).toBe(false);
    },
    "reset-before": noAnswer,
    "reset-after": noAnswer,
    "hang-before": noAnswer,
    "hang-after": noAnswer,
    "slow-body": ({ status, headers, text = "", bodyMs = 0 }) => {
        expect(status).toBe(200);
        expect(headers?.["content-length"]).toBe(String(text.length));
        expect(isJson(text)).toBe(true);
        expect(bodyMs).toBeGreaterThan(250);
    },
    "cut-body": ({ status, headers, brokeOff }) => {
        expect(status).toBe(200);
        expect(Number(headers?.["content-length"])).toBeGreaterThan(0);
        expect(brokeOff).toBe("in the body");
    },
    quota: envelope(403, "compute.quota.exceeded"),
};

describe("a creation that is hit", () => {
    test.each(Object.entries(expected))("%s", async (name, check) => {
        const kind = name as FaultKind;
        const fault = cloud.faults.add({ operation: "securityGroupCreate", kind });
        const group = newGroup();
        // Calls that hang end by the client's patience, all others long before it.
        const started = performance.now();
        const signal = AbortSignal.timeout(kind.startsWith("hang") ? 200 : 10_000);
        const seen = await createGroup(group, { signal });
        check(seen);
        expect(performance.now() - started).toBeLessThan(5_000);
        expect(fault.hits).toBe(1);

        const { status } = await createGroup();
        expect(status).toBe(200);
        expect(fault).toMatchObject({ seen: 2, hits: 1 });
        // By now what was not done is not under way either.
        expect(exists(group)).toBe(faultKinds[kind].effect === "done");
    });
});

test("an answer with nothing in it is damaged too", async () => {
    const { id } = cloud.call("securityGroupCreate", { name: newGroup() });
    cloud.faults.add({ operation: "securityGroupDelete", kind: "truncated" });
    const seen = await compute("securityGroupDelete", { body: { security_group_id: id } });
    expect(seen).toMatchObject({ status: 200, text: "{" });
});

describe("clear()", () => {
    test.each(["hang-before", "hang-after"] as const)("lets calls of %s go on", async (kind) => {
        const fault = cloud.faults.add({ operation: "securityGroupCreate", kind, times: 2 });
        const [first, second] = [newGroup(), newGroup()];
        const hung = [createGroup(first), createGroup(second)];
        await until(() => fault.hits === 2);
        await sleep(50);
        expect(exists(first)).toBe(kind === "hang-after");
        expect(await Promise.race([...hung, sleep(100, "still hung")])).toBe("still hung");

        cloud.faults.clear();
        expect((await Promise.all(hung)).map(({ status }) => status)).toEqual([200, 200]);
        expect([exists(first), exists(second)]).toEqual([true, true]);
    });

    test("ends faults that are not used up", async () => {
        cloud.faults.add({
            operation: "securityGroupCreate",
            kind: "status-500",
            times: Infinity,
        });
        expect((await createGroup()).status).toBe(500);
        expect((await createGroup()).status).toBe(500);
        cloud.faults.clear();
        expect((await createGroup()).status).toBe(200);
        expect(cloud.faults.list()).toEqual([]);
    });
});

test("closing the cloud does not wait for calls that hang", async () => {
    const other = mkdtempSync(path.join(tmpdir(), "local-cloud-"));
    const second = await startLocalCloud({ dir: other, nodes: "none" });
    const fault = second.faults.add({ operation: "zoneList", kind: "hang-before" });
    const hung = send(second.dnsUrl + operations.zoneList.path, { bearer: second.apiKey });
    await until(() => fault.hits === 1);
    await second.close();
    noAnswer(await hung);
    rmSync(other, { recursive: true });
});

describe("which calls are hit", () => {
    const statuses = async (count: number): Promise<(number | undefined)[]> => {
        const seen: (number | undefined)[] = [];
        while (seen.length < count) {
            seen.push((await createGroup()).status);
        }
        return seen;
    };
    const operation = "securityGroupCreate";

    test.each<[Pick<CallFaultSpec, "occurrence" | "times">, number[]]>([
        [{}, [500, 200, 200, 200]],
        [{ occurrence: 3 }, [200, 200, 500, 200]],
        [{ times: 2 }, [500, 500, 200, 200]],
        [{ occurrence: 2, times: 2 }, [200, 500, 500, 200]],
        [{ occurrence: 2, times: Infinity }, [200, 500, 500, 500]],
    ])("%j", async (counts, answers) => {
        const fault = cloud.faults.add({ operation, kind: "status-500", ...counts });
        expect(await statuses(4)).toEqual(answers);
        expect(fault.hits).toBe(answers.filter((status) => status === 500).length);
    });

    test("one fault hits a call, the oldest that is due", async () => {
        cloud.faults.add({ operation, kind: "status-500", occurrence: 2 });
        cloud.faults.add({ operation, kind: "status-503", times: 2 });
        expect(await statuses(4)).toEqual([503, 500, 503, 200]);
    });

    test("only the named operation", async () => {
        const fault = cloud.faults.add({ operation: "securityGroupList", kind: "status-500" });
        expect(await statuses(1)).toEqual([200]);
        expect(fault).toMatchObject({ seen: 0, hits: 0 });
    });

    test("only requests that match, in body, query and path", async () => {
        const group = newGroup();
        cloud.faults.add({ operation, kind: "status-500", match: { name: group } });
        expect((await createGroup(newGroup())).status).toBe(200);
        expect((await createGroup(group)).status).toBe(500);

        const ids = [1, 2].map(
            () => cloud.call("securityGroupCreate", { name: newGroup() }).id,
        ) as [number, number];
        const match = { security_group_id: ids[1] };
        cloud.faults.add({ operation: "ruleList", kind: "status-502", match });
        cloud.faults.add({ operation: "securityGroupGet", kind: "status-503", match });
        const asked = async (path: string) =>
            Promise.all(ids.map((id) => send(`${cloud.computeUrl}${path}${id}`))).then((all) =>
                all.map(({ status }) => status),
            );
        expect(await asked("/securitygroup/rule/list?security_group_id=")).toEqual([200, 502]);
        expect(await asked("/securitygroup/")).toEqual([200, 503]);
    });

    test("the services beside compute", async () => {
        cloud.faults.add({ operation: "zoneList", kind: "status-500" });
        cloud.faults.add({ operation: "me", kind: "status-503" });
        envelope(500, "dns.internal")(await send(cloud.dnsUrl + operations.zoneList.path));
        envelope(503, "iam.service.unavailable")(await send(cloud.iamUrl + operations.me.path));
    });

    test("calls without a credential or in bad form neither hit nor count", async () => {
        const fault = cloud.faults.add({ operation, kind: "status-500" });
        const refused = await createGroup(newGroup(), { bearer: "wrong" });
        envelope(401, "compute.auth.unauthenticated")(refused);
        expect((await compute(operation, { body: { surprise: 1 } })).status).toBe(400);
        expect(fault).toMatchObject({ seen: 0, hits: 0 });
    });

    test("not what is done behind the user's back", () => {
        const fault = cloud.faults.add({ operation, kind: "status-500" });
        cloud.call("securityGroupCreate", { name: newGroup() });
        expect(fault.hits).toBe(0);
    });
});

describe("lists that are stale", () => {
    const groups = async (): Promise<string[]> => {
        const { status, text = "" } = await compute("securityGroupList");
        expect(status).toBe(200);
        return (JSON.parse(text) as { name: string }[]).map(({ name }) => name);
    };

    test("they answer what they held before the last change, then the truth", async () => {
        const before = await groups();
        const group = newGroup();
        await createGroup(group);
        const fault = cloud.faults.add({
            operation: "securityGroupList",
            kind: "stale-list",
            times: 2,
        });
        expect([await groups(), await groups()]).toEqual([before, before]);
        expect(await groups()).toEqual([...before, group]);
        expect(fault.hits).toBe(2);
    });

    test("a list that nobody asked for before was empty", async () => {
        cloud.call("recordCreate", {
            zone_name: "k8s.excloud.co.in",
            type: "A",
            name: "a",
            value: "10.0.0.1",
        });
        cloud.faults.add({ operation: "recordList", kind: "stale-list" });
        const url = `${cloud.dnsUrl}${operations.recordList.path}?zone_name=k8s.excloud.co.in`;
        expect((await send(url)).text).toBe("[]");
        expect(JSON.parse((await send(url)).text ?? "")).toHaveLength(1);
    });

    test("each query has a past of its own", async () => {
        const [a, b] = [1, 2].map(
            () => cloud.call("securityGroupCreate", { name: newGroup() }).id,
        ) as [number, number];
        for (const security_group_id of [a, b]) {
            cloud.call("ruleCreate", {
                security_group_id,
                is_ingress: true,
                protocol: "TCPv4",
                port_range: "22",
                cidr: "0.0.0.0/0",
            });
        }
        const rules = (id: number) =>
            send(`${cloud.computeUrl}${operations.ruleList.path}?security_group_id=${id}`);
        await rules(a);
        cloud.faults.add({ operation: "ruleList", kind: "stale-list" });
        expect((await rules(b)).text).toBe("[]");
    });

    test("a refusal or a proxy's page is not taken for the list", async () => {
        const before = await groups();
        for (const kind of ["html", "status-500"] as const) {
            cloud.faults.add({ operation: "securityGroupList", kind });
            await compute("securityGroupList");
        }
        await createGroup();
        cloud.faults.add({ operation: "securityGroupList", kind: "stale-list" });
        expect(await groups()).toEqual(before);
    });
});

describe("VMs whose creation is hit", () => {
    test("vm-error: the VM goes to ERROR, and can be terminated", async () => {
        const fault = cloud.faults.add({ operation: "vmCreate", kind: "vm-error" });
        const [bad, good] = [await createVm("bad"), await createVm("good")];
        await until(() => stateOf(bad) === "ERROR" && stateOf(good) === "RUNNING");
        expect(fault.hits).toBe(1);
        cloud.terminateVm(bad);
        await until(() => stateOf(bad) === "TERMINATED");
    });

    test("vm-stuck: the VM stays in CREATING until clear()", async () => {
        const fault = cloud.faults.add({ operation: "vmCreate", kind: "vm-stuck" });
        const [stuck, good] = [await createVm("stuck"), await createVm("good")];
        await until(() => stateOf(good) === "RUNNING");
        await sleep(50);
        expect(stateOf(stuck)).toBe("CREATING");
        expect(fault.hits).toBe(1);
        cloud.faults.clear();
        await until(() => stateOf(stuck) === "RUNNING");
    });

    test("vm-stuck: a VM that is terminated meanwhile stays terminated", async () => {
        cloud.faults.add({ operation: "vmCreate", kind: "vm-stuck" });
        const stuck = await createVm("stuck");
        await sleep(50);
        cloud.terminateVm(stuck);
        await until(() => stateOf(stuck) === "TERMINATED");
        cloud.faults.clear();
        await sleep(50);
        expect(stateOf(stuck)).toBe("TERMINATED");
    });
});

describe("which kinds befall an operation", () => {
    const everywhere = Object.keys(expected).filter((kind) => kind !== "quota");

    test.each<[OperationName, FaultKind[]]>([
        ["vmGet", []],
        ["vmList", ["stale-list"]],
        ["securityGroupCreate", ["quota"]],
        ["vmCreate", ["quota", "vm-error", "vm-stuck"]],
    ])("%s: the usual ones and %j", (operation, more) => {
        expect(kindsFor(operation).sort()).toEqual([...everywhere, ...more].sort());
    });

    test("what makes no sense is refused", () => {
        const add = (spec: object) => () => cloud.faults.add(spec as never);
        for (const [spec, code] of [
            [{ operation: "vmExplode", kind: "quota" }, "local.fault.unknown_operation"],
            [{ operation: "vmGet", kind: "stale-list" }, "local.fault.wrong_kind"],
            [{ operation: "vmGet", kind: "html", times: 0 }, "local.fault.wrong_count"],
            [{ operation: "vmGet", kind: "html", occurrence: 0 }, "local.fault.wrong_count"],
        ] as const) {
            expect(add(spec)).toThrow(expect.objectContaining({ status: 400, code }));
        }
        expect(cloud.faults.list()).toEqual([]);
    });

    test("the README names every kind", () => {
        const readme = readFileSync(path.join(__dirname, "../../../local-cloud/README.md"), "utf8");
        const rows = readme.replace(/ +/g, " ").split("\n");
        for (const [kind, { effect, description }] of Object.entries(faultKinds)) {
            expect(rows).toContain(`| \`${kind}\` | ${effect} | ${description} |`);
        }
    });
});

describe("over HTTP", () => {
    const calls = async (sent: Sent = {}) => {
        const { status, text = "" } = await send(`${cloud.computeUrl}/_local/faults/calls`, sent);
        return { status, body: JSON.parse(text) as unknown };
    };

    test("faults are added, listed with their hits, and cleared", async () => {
        const forever = { operation: "zoneList", kind: "status-500", times: null };
        const once = {
            operation: "securityGroupCreate",
            kind: "quota",
            match: { name: "g" },
            occurrence: 2,
        };
        const ids: number[] = [];
        for (const body of [forever, once]) {
            const added = await calls({ body });
            expect(added).toEqual({ status: 200, body: { id: expect.any(Number) } });
            ids.push((added.body as { id: number }).id);
        }
        for (let i = 0; i < 3; i++) {
            await send(cloud.dnsUrl + operations.zoneList.path);
        }
        expect(await calls()).toEqual({
            status: 200,
            body: [
                { ...forever, id: ids[0], match: {}, occurrence: 1, seen: 3, hits: 3 },
                { ...once, id: ids[1], times: 1, seen: 0, hits: 0 },
            ],
        });
        expect(await calls({ method: "DELETE" })).toEqual({ status: 200, body: {} });
        expect(await calls()).toEqual({ status: 200, body: [] });
        expect((await send(cloud.dnsUrl + operations.zoneList.path)).status).toBe(200);
    });

    test("it needs the credential, and is strict", async () => {
        const fault = { operation: "vmGet", kind: "html" };
        expect((await calls({ body: fault, bearer: "wrong" })).status).toBe(401);
        for (const wrong of [
            { ...fault, surprise: 1 },
            { ...fault, kind: "unheard-of" },
            { ...fault, kind: "quota" },
            { ...fault, operation: "vmExplode" },
            { ...fault, times: 0 },
        ]) {
            expect((await calls({ body: wrong })).status).toBe(400);
        }
        expect(cloud.faults.list()).toEqual([]);
    });
});

describe("changes behind the user's back", () => {
    test("a VM is stopped, doubled and terminated", async () => {
        const first = await createVm("twin");
        await until(() => stateOf(first) === "RUNNING");
        cloud.call("vmStop", { vm_id: first });
        await until(() => stateOf(first) === "STOPPED");
        const { vm_id: second } = cloud.call("vmCreate", vmRequest({ name: "twin" }));
        const twins = cloud.inventory().vms.filter(({ name }) => name === "twin");
        expect(twins.map(({ vm_id }) => vm_id)).toEqual([first, second]);
        cloud.terminateVm(first);
        await until(() => stateOf(first) === "TERMINATED");
    });

    test("a record is edited", () => {
        const record = { zone_name: "k8s.excloud.co.in", type: "A", name: "edited" } as const;
        cloud.call("recordCreate", { ...record, value: "10.0.0.1" });
        cloud.deleteRecord({ ...record, value: "10.0.0.1" });
        cloud.call("recordCreate", { ...record, value: "10.0.0.2" });
        const found = cloud.inventory().records.filter(({ name }) => name === "edited");
        expect(found.map(({ value }) => value)).toEqual(["10.0.0.2"]);
    });

    test("a group in use is taken from its VM and deleted", () => {
        const { id } = cloud.call("securityGroupCreate", { name: newGroup() });
        const vm = cloud.call("vmCreate", {
            ...vmRequest({ name: "member" }),
            security_group_ids: [id],
        });
        const interfaces = cloud.call("vmGet", { vm_id: vm.vm_id }).interfaces ?? [];
        for (const { id: interface_id } of interfaces) {
            cloud.call("bindingDelete", { interface_id, security_group_id: id });
        }
        cloud.call("securityGroupDelete", { security_group_id: id });
        expect(cloud.inventory().securityGroups.map((group) => group.id)).not.toContain(id);
    });
});
