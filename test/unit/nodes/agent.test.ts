import { rmSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { parse } from "yaml";

import { roles } from "../../../contract/roles";
import { agentActions, programs, roleSpecs } from "../../../nodes";
import type { Program } from "../../../nodes/program";
import { fileOf, valuesOf } from "./fixtures";
import { bundleOf, FakeNode, FakeServer, podList, selfSigned } from "./node";

const agent = "/usr/local/bin/exk8s-node-agent.sh";
const addonsDone = "/etc/exk8s/runtime/addons.done";
let server: FakeServer;
let node: FakeNode;
/** What the server serves; a matching revision gives 304. */
let desired: Record<string, unknown>;

beforeEach(async () => {
    server = await FakeServer.start();
    node = new FakeNode(valuesOf());
    desired = bundleOf(node.values);
    node.install(server, desired);
    node.write(addonsDone, "digest\n");
    server.routes["GET /agent/bundle"] = (call) =>
        call.headers["if-none-match"] === `"${String(desired["revision"])}"`
            ? { status: 304 }
            : { status: 200, body: desired };
    server.routes["POST /agent/report"] = () => ({ status: 204 });
});
afterEach(async () => {
    node.remove();
    await server.stop();
});

/** The next bundle: some files other, some gone. */
function change(files: Record<string, string>, gone: string[] = []): void {
    const next = { ...(desired["files"] as Record<string, string>), ...files };
    const attributes: Record<string, unknown> = { ...(desired["attributes"] as object) };
    for (const path of Object.keys(files)) {
        attributes[path] ??= {
            mode: path.endsWith("-key.pem") ? "0600" : "0644",
            owner: "root:root",
        };
    }
    for (const path of gone) {
        delete next[path];
        delete attributes[path];
    }
    desired = {
        ...desired,
        files: next,
        attributes,
        generation: "generation-2",
        revision: "revision-2",
    };
}

test("nothing new: one report of the generation and its health, then silence", async () => {
    expect(await node.run(agent)).toMatchObject({ code: 0 });
    expect(await node.run(agent)).toMatchObject({ code: 0 });
    expect(server.reports).toMatchObject([
        {
            generation: "generation-1",
            phase: "applied",
            state: "done",
            health: { etcd: true, apiserver: true, kubelet: true },
        },
    ]);
    expect(node.calls("systemctl")).toEqual([]);
    expect(server.calls[0]!.headers).toMatchObject({
        "if-none-match": '"revision-1"',
        authorization: "Bearer the-agent-token",
    });
});

test("a sick node says so, once, and again when it is well", async () => {
    node.healthy("etcd", undefined);
    await node.run(agent);
    await node.run(agent);
    node.healthy("etcd", '{"health":"true"}');
    await node.run(agent);
    expect(server.reports.map((one) => [one["state"], one["health"]])).toEqual([
        ["failed", { etcd: false, apiserver: true, kubelet: true }],
        ["done", { etcd: true, apiserver: true, kubelet: true }],
    ]);
});

test("a change of peers alone is reported as applied again: the server waits for it", async () => {
    await node.run(agent);
    desired = {
        ...desired,
        revision: "revision-2",
        peers: [...(desired["peers"] as unknown[])].slice(0, 2),
    };
    expect(await node.run(agent)).toMatchObject({ code: 0 });
    expect(server.reports.map(({ generation, state }) => [generation, state])).toEqual([
        ["generation-1", "done"],
        ["generation-1", "running"],
        ["generation-1", "done"],
    ]);
});

test("writes exactly what changed, acts in order, reports, and keeps the revision", async () => {
    const unchanged = node.digest("/etc/exk8s/config/cluster.env");
    change(
        {
            "/var/lib/kubelet/config.yaml": "kind: KubeletConfiguration\n",
            "/etc/systemd/system/etcd.service": "[Unit]\n",
            "/etc/exk8s/manifests/coredns.yaml": "kind: List\nitems: []",
            "/etc/exk8s/pki/kubelet-server-key.pem": "key $(x) 'quoted' ${#y}\n\n",
        },
        ["/etc/sysctl.d/90-exk8s.conf"],
    );
    const run = await node.run(agent);
    expect(run).toMatchObject({ code: 0 });
    expect(node.read("/etc/exk8s/pki/kubelet-server-key.pem")).toBe("key $(x) 'quoted' ${#y}\n\n");
    expect(node.mode("/etc/exk8s/pki/kubelet-server-key.pem")).toBe("0600");
    expect(node.read("/etc/exk8s/manifests/coredns.yaml")).toBe("kind: List\nitems: []");
    expect(node.has("/etc/sysctl.d/90-exk8s.conf")).toBe(false);
    expect(node.digest("/etc/exk8s/config/cluster.env")).toBe(unchanged);
    expect(node.calls("systemctl")).toEqual([
        "systemctl daemon-reload",
        "systemctl restart systemd-sysctl",
        "systemctl stop etcd",
        "systemctl start --no-block etcd",
        "systemctl restart kubelet",
        "systemctl stop exk8s-addons",
        "systemctl start --no-block exk8s-addons",
        // Once more at the end of the run, because they are not done; systemd starts them once.
        "systemctl start --no-block exk8s-addons",
    ]);
    expect(node.has(addonsDone)).toBe(false);
    expect(server.reports).toMatchObject([
        { generation: "generation-2", phase: "applied", state: "running" },
        { generation: "generation-2", phase: "applied", state: "done", health: { etcd: true } },
    ]);
    expect(JSON.parse(node.read("/etc/exk8s/runtime/bundle.json"))).toMatchObject({
        revision: "revision-2",
    });
    node.write(addonsDone, "digest\n");
    node.forget();
    await node.run(agent);
    expect(node.calls("systemctl")).toEqual([]);
    expect(server.reports).toHaveLength(2);
});

describe("the agent token", () => {
    const file = "/etc/exk8s/runtime/agent-token";
    const former = `${file}.former`;
    const tokens = () =>
        server.calls.map(({ method, path, headers }) => [
            `${method} ${path}`,
            headers.authorization?.replace("Bearer ", ""),
        ]);
    beforeEach(() => {
        server.routes["POST /agent/token"] = () => ({
            status: 200,
            body: { agent_token: "the-next-token" },
        });
    });

    test("is renewed when it is old, and the new one used from the next run on", async () => {
        expect(await node.run(agent)).toMatchObject({ code: 0 });
        node.age(file, 31);
        expect(await node.run(agent)).toMatchObject({ code: 0 });
        expect(node.read(file)).toBe("the-next-token");
        expect(node.mode(file)).toBe("0600");
        expect(node.mode(former)).toBe("0600");
        expect(await node.run(agent)).toMatchObject({ code: 0 });
        expect(tokens()).toEqual([
            ["GET /agent/bundle", "the-agent-token"],
            ["POST /agent/report", "the-agent-token"],
            ["GET /agent/bundle", "the-agent-token"],
            ["POST /agent/token", "the-agent-token"],
            ["GET /agent/bundle", "the-next-token"],
        ]);
    });

    test.each([
        ["a server that has no renewal", { status: 404 }],
        ["an answer without a token", { status: 200, body: {} }],
    ])("stays as it is with %s", async (_what, answer) => {
        server.routes["POST /agent/token"] = () => answer;
        node.age(file, 31);
        expect(await node.run(agent)).toMatchObject({ code: 0 });
        expect(node.read(file).trim()).toBe("the-agent-token");
    });

    test("gives way to the former one where the server knows only that, and back", async () => {
        node.age(file, 31);
        await node.run(agent);
        const serve = server.routes["GET /agent/bundle"]!;
        let known = "the-agent-token";
        server.routes["GET /agent/bundle"] = (call) =>
            call.headers.authorization === `Bearer ${known}` ? serve(call) : { status: 401 };
        expect((await node.run(agent)).code).not.toBe(0);
        server.routes["POST /agent/token"] = () => ({ status: 500 });
        expect(await node.run(agent)).toMatchObject({ code: 0 });

        known = "the-next-token";
        expect((await node.run(agent)).code).not.toBe(0);
        expect(await node.run(agent)).toMatchObject({ code: 0 });
    });
});

test("addons that a reboot cut off are resumed, with the present files, until they are done", async () => {
    node.remove();
    node = new FakeNode(valuesOf());
    node.install(server, desired);
    change({ "/usr/local/lib/exk8s/lease.sh": "# newer\n" });
    node.program("systemctl", 'cat "$EXK8S_ROOT/usr/local/lib/exk8s/lease.sh" >"$EXK8S_ROOT/seen"');
    expect(await node.run(agent)).toMatchObject({ code: 0 });
    expect(await node.run(agent)).toMatchObject({ code: 0 });
    const start = "systemctl start --no-block exk8s-addons";
    expect(node.calls("systemctl")).toEqual([start, start]);
    expect(node.read("/seen")).toBe("# newer\n");
    node.write(addonsDone, "digest\n");
    node.forget();
    expect(await node.run(agent)).toMatchObject({ code: 0 });
    expect(node.calls("systemctl")).toEqual([]);
});

test("a run of the addons with the former files cannot mark the new ones as done", async () => {
    // It marks as its last act: when it is stopped, or, if nobody stops it, when a start joins it.
    node.write("/running", "");
    node.program(
        "systemctl",
        `case "$*" in
    "stop exk8s-addons") touch "$EXK8S_ROOT${addonsDone}"; rm "$EXK8S_ROOT/running" ;;
    "start "*" exk8s-addons") [[ ! -e "$EXK8S_ROOT/running" ]] || touch "$EXK8S_ROOT${addonsDone}" ;;
esac`,
    );
    change({ "/etc/exk8s/manifests/coredns.yaml": "kind: List\nitems: []" });
    expect(await node.run(agent)).toMatchObject({ code: 0 });
    expect(node.has(addonsDone)).toBe(false);
});

test("other peers change the balancer and nothing else", async () => {
    const peers = desired["peers"] as { name: string; address: string; role: string }[];
    desired = {
        ...desired,
        revision: "revision-2",
        peers: peers.map((peer) =>
            peer.name.startsWith("cp-3") ? { ...peer, address: "10.0.1.99" } : peer,
        ),
    };
    expect(await node.run(agent)).toMatchObject({ code: 0 });
    expect(node.read("/etc/exk8s/runtime/haproxy.cfg")).toContain("10.0.1.99:6443 backup");
    expect(node.calls("systemctl")).toEqual(["systemctl reload-or-restart exk8s-balancer"]);
    expect(server.reports.at(-1)).toMatchObject({ generation: "generation-1", state: "done" });
});

test("a failed action is reported with the log's end, remembered, and done at the next run", async () => {
    node.program(
        "systemctl",
        'if [[ "$*" == "restart kubelet" && ! -e "$EXK8S_ROOT/works" ]]; then echo "Bearer abc no such unit" >&2; exit 5; fi',
    );
    change({ "/var/lib/kubelet/config.yaml": "kind: KubeletConfiguration\n" });
    expect((await node.run(agent)).code).not.toBe(0);
    expect(server.reports.at(-1)).toMatchObject({ generation: "generation-2", state: "failed" });
    const tail = server.reports.at(-1)!["log_tail"] as string[];
    expect(tail.at(-1)).toBe("Bearer [redacted] no such unit");
    node.write("/works", "");
    node.forget();
    expect(await node.run(agent)).toMatchObject({ code: 0 });
    expect(node.calls("systemctl")).toEqual(["systemctl restart kubelet"]);
    expect(server.reports.at(-1)).toMatchObject({ generation: "generation-2", state: "done" });
});

describe("static pods", () => {
    /** A process of the node, `age` seconds old until it is killed, then new. */
    function process(pattern: string, age: number): void {
        node.write("/age", String(age));
        node.program("pgrep", `[[ "$*" == *"${pattern}"* ]] && echo 4242`);
        node.program("ps", 'cat "$EXK8S_ROOT/age"');
        // `kill` is a builtin: a function that bash imports stands in for it.
    }
    const kill = {
        "BASH_FUNC_kill%%":
            '() { echo "kill $*" >>"$EXK8S_ROOT/calls"; echo 0 >"$EXK8S_ROOT/age"; }',
    };

    test("a renewed certificate ends the old container's process and waits for the new", async () => {
        process("kube-apiserver", 86_400);
        change({ "/etc/exk8s/pki/apiserver.pem": "new\n" });
        expect(await node.run(agent, kill)).toMatchObject({ code: 0 });
        expect(node.calls("kill")).toEqual(["kill 4242"]);
        expect(server.reports.at(-1)).toMatchObject({ state: "done" });
    });

    test("a changed manifest is kubelet's to act on; the agent waits for it", async () => {
        process("kube-scheduler", 86_400);
        change({ "/etc/kubernetes/manifests/kube-scheduler.yaml": "kind: Pod\n" });
        expect((await node.run(agent, kill)).code).not.toBe(0);
        expect(server.reports.at(-1)).toMatchObject({ state: "failed" });
        expect(node.calls("kill")).toEqual([]);
        node.write("/age", "0");
        expect(await node.run(agent, kill)).toMatchObject({ code: 0 });
        expect(server.reports.at(-1)).toMatchObject({ state: "done" });
    });
});

test("an upgrade installs first, then restarts what got a new program", async () => {
    change({
        "/etc/exk8s/config/downloads.tsv": "changed\n",
        "/usr/local/bin/exk8s-install-control-plane-prereqs.sh":
            '#!/bin/bash\necho install >>"$EXK8S_ROOT/calls"\nmkdir -p "$EXK8S_ROOT/usr/local/bin"; touch "$EXK8S_ROOT/usr/local/bin/kubelet"\necho /usr/local/bin/kubelet >>"$EXK8S_CHANGES"\n',
    });
    expect(await node.run(agent)).toMatchObject({ code: 0 });
    expect(
        node
            .read("/calls")
            .split("\n")
            .filter((line) => /^(install|systemctl)/.test(line)),
    ).toEqual(["install", "systemctl restart kubelet"]);
});

test("a node whose new kubelet replaces the control plane's pods is not well before they are ready", async () => {
    node.healthy("pods", podList(node.values.nodeName, false));
    change({ "/var/lib/kubelet/config.yaml": "kind: KubeletConfiguration\n" });
    expect((await node.run(agent)).code).not.toBe(0);
    expect(server.reports.at(-1)).toMatchObject({ state: "failed" });
    node.healthy("pods", podList(node.values.nodeName, true));
    expect(await node.run(agent)).toMatchObject({ code: 0 });
    expect(server.reports.at(-1)).toMatchObject({ state: "done" });
});

test("a new agent takes over from the old one before it acts", async () => {
    const path = "/usr/local/bin/exk8s-node-agent.sh";
    const script = fileOf(node.values, path);
    change({
        [path]: script.replace(
            'restart:*) systemctl restart "${1#restart:}"',
            'fresh:*) systemctl restart "${1#fresh:}"',
        ),
        "/etc/exk8s/config/agent-actions": "fresh:brand-new /var/lib/kubelet/config.yaml\n",
        "/var/lib/kubelet/config.yaml": "kind: KubeletConfiguration\n",
    });
    expect(await node.run(agent)).toMatchObject({ code: 0 });
    expect(node.calls("systemctl")).toEqual(["systemctl restart brand-new"]);
    expect(server.reports.at(-1)).toMatchObject({ generation: "generation-2", state: "done" });
});

test.each(["missing", "empty"])(
    "a role's file that is %s is fetched, whatever revision the node has",
    async (how) => {
        const path = "/etc/exk8s/config/role.env";
        const text = node.read(path);
        if (how === "missing") {
            rmSync(join(node.root, path));
        } else {
            node.write(path, "");
        }
        expect(await node.run(agent)).toMatchObject({ code: 0 });
        expect(node.read(path)).toBe(text);
        expect(server.reports.at(-1)).toMatchObject({
            state: "done",
            health: { etcd: true, apiserver: true, kubelet: true },
        });
    },
);

test("a node that was cut off in a change is whole again when the former generation is back", async () => {
    const path = "/var/lib/kubelet/config.yaml";
    const text = node.read(path);
    node.write(path, "half of the next generation\n");
    node.write("/var/lib/exk8s/changes", `${path}\n`);
    expect(await node.run(agent)).toMatchObject({ code: 0 });
    expect(node.read(path)).toBe(text);
    expect(node.calls("systemctl")).toEqual(["systemctl restart kubelet"]);
});

test("without its table of actions the agent fails, and remembers the change", async () => {
    change({ "/var/lib/kubelet/config.yaml": "kind: KubeletConfiguration\n" }, [
        "/etc/exk8s/config/agent-actions",
    ]);
    expect((await node.run(agent)).code).not.toBe(0);
    expect(server.reports.at(-1)).toMatchObject({ state: "failed" });
    expect(node.read("/var/lib/exk8s/changes")).toContain("/var/lib/kubelet/config.yaml\n");
});

test("every rendered path has the actions it needs", () => {
    const rows = agentActions("control-plane");
    const matches = (path: string) =>
        rows.some(({ path: pattern }) => {
            const parts = pattern.split("*").map((part) => part.replaceAll(/[.]/g, "\\."));
            return new RegExp(`^${parts.join(".*")}$`).test(path);
        });
    // Read at each use, so a change needs no action.
    const inert = Object.keys(desired["files"] as object).filter((path) => !matches(path));
    expect(inert.sort()).toEqual([
        "/etc/exk8s/config/agent-actions",
        "/etc/exk8s/config/role.env",
        "/etc/exk8s/kubeconfig/admin.kubeconfig",
        "/usr/local/bin/exk8s-bootstrap.sh",
        "/usr/local/bin/exk8s-etcd-join.sh",
        "/usr/local/bin/exk8s-node-agent.sh",
        "/usr/local/lib/exk8s/common.sh",
        "/usr/local/lib/exk8s/lease.sh",
        "/usr/local/lib/exk8s/report.sh",
    ]);
});

test("a static pod is renewed when a file changes that its container keeps", () => {
    const rows = agentActions("control-plane");
    for (const name of ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const) {
        const manifest = parse(fileOf(node.values, `/etc/kubernetes/manifests/${name}.yaml`)) as {
            spec: { volumes: { hostPath: { path: string; type: string } }[] };
        };
        const mounted = manifest.spec.volumes
            .filter(({ hostPath }) => hostPath.type === "File")
            .map(({ hostPath }) => hostPath.path);
        const renewing = rows.filter(({ action }) => action === `pod:${name}`);
        expect(renewing.map(({ path }) => path).sort()).toEqual(mounted.sort());
    }
});

test("the agent does something for every action that programs name", () => {
    const script = fileOf(node.values, "/usr/local/bin/exk8s-node-agent.sh");
    const body = /^act\(\) \{\n([^]*?)^\}/m.exec(script)![1]!;
    const handled = [...body.matchAll(/^ {8}([a-z*:-]+)\)/gm)].map(([, pattern]) => pattern!);
    const isHandled = (action: string) =>
        handled.some((pattern) => new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(action));
    const actions = roles.flatMap((role) => agentActions(role).map(({ action }) => action));
    expect(actions.length).toBeGreaterThan(30);
    expect(actions.filter((action) => !isHandled(action))).toEqual([]);
    const known = /^pids_of\(\) \{\n([^]*?)^\}/m.exec(script)![1]!;
    const renewed = actions.flatMap((action) => /^(?:pod|replaced):(.*)$/.exec(action)?.[1] ?? []);
    expect(renewed.filter((name) => !known.includes(`${name})`))).toEqual([]);
});

test("the scripts have every phase and every check of health that the model names", () => {
    const boot = fileOf(node.values, "/usr/local/bin/exk8s-bootstrap.sh");
    const library = fileOf(node.values, "/usr/local/lib/exk8s/common.sh");
    const phases = Object.values(roleSpecs).flatMap((spec) => [...spec.boot]);
    const checks = programs.flatMap(({ health }: Program) => health ?? []);
    expect(
        phases.filter((name) => !boot.includes(`\n${name.replace("-", "_")}_phase() {`)),
    ).toEqual([]);
    expect(checks.filter((name) => !library.includes(`\nexk8s_${name}_healthy() {`))).toEqual([]);
    expect([phases.length, checks.length]).toEqual([8, 3]);
});

test("a server with another certificate is not believed", async () => {
    node.write("/etc/exk8s/runtime/bootstrap-ca.pem", (await selfSigned()).cert);
    change({ "/var/lib/kubelet/config.yaml": "kind: Evil\n" });
    const run = await node.run(agent);
    expect(run.code).not.toBe(0);
    expect(run.output).toContain("cannot be reached");
    expect(server.calls).toEqual([]);
    expect(node.read("/var/lib/kubelet/config.yaml")).toBe(
        fileOf(node.values, "/var/lib/kubelet/config.yaml"),
    );
});

test("a server and CA from the bundle replace those of the user data", async () => {
    const other = await FakeServer.start();
    other.routes["GET /agent/bundle"] = () => ({ status: 304 });
    other.routes["POST /agent/report"] = () => ({ status: 204 });
    change({
        "/etc/exk8s/config/bootstrap-server.env": `BOOTSTRAP_BASE_URL='${other.url}'\n`,
        "/etc/exk8s/config/bootstrap-server-ca.pem": other.caPem,
    });
    await node.run(agent);
    await node.run(agent);
    expect(server.calls.map((call) => call.path)).toEqual(["/agent/bundle"]);
    expect(other.calls.at(-1)!.path).toBe("/agent/bundle");
    await other.stop();
});

test("no secret is in any program's arguments", async () => {
    change({ "/etc/exk8s/pki/apiserver-key.pem": "PRIVATE-TEXT\n" });
    await node.run(agent);
    expect(node.read("/calls")).not.toMatch(/the-agent-token|PRIVATE-TEXT/);
});

test("a path that leaves its folder is refused", async () => {
    change({ "/etc/exk8s/../../escaped": "x" });
    const run = await node.run(agent);
    expect(run.code).not.toBe(0);
    expect(node.has("/etc/exk8s/../../escaped")).toBe(false);
});
