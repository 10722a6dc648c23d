import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

import { sha256 } from "../../../contract/manifest";
import type { ClusterSettingsArgs } from "../../../nodes";
import { valuesOf } from "./fixtures";
import { bundleOf, FakeNode, FakeServer, peers } from "./node";

let server: FakeServer;
let node: FakeNode;
const own = "cp-1.cluster-42.internal";
/** A `dpkg-query` that finds everything installed. */
const everyPackage = 'shift 3; printf "%s installed\\n" "$@"';

beforeEach(async () => {
    server = await FakeServer.start();
    server.routes["POST /agent/report"] = () => ({ status: 204 });
});
afterEach(async () => {
    node.remove();
    await server.stop();
});

function install(more: Record<string, unknown> = {}, args: ClusterSettingsArgs = {}): void {
    node = new FakeNode(valuesOf(args));
    node.install(server, bundleOf(node.values, more));
}

describe("the balancer's generator", () => {
    const run = () => node.run("/usr/local/bin/exk8s-balancer.sh");
    const servers = () =>
        node
            .read("/etc/exk8s/runtime/haproxy.cfg")
            .split("\n")
            .filter((line) => line.trim().startsWith("server "))
            .map((line) => line.trim());

    test("puts the node's own API server first and the others behind it as backups", async () => {
        install({ peers: peers(own).reverse() });
        expect(await run()).toMatchObject({ code: 0 });
        expect(servers()).toEqual([
            `server ${own} 127.0.0.1:6443`,
            "server cp-2.cluster-42.internal 10.0.1.12:6443 backup",
            "server cp-3.cluster-42.internal 10.0.1.13:6443 backup",
        ]);
        expect(node.calls("systemctl")).toEqual(["systemctl reload-or-restart exk8s-balancer"]);
    });

    test("uses all alike on a node without an API server", async () => {
        const others = peers(own).filter((peer) => peer.name !== own);
        install({ peers: [...others, { name: "worker-1", address: "10.0.1.50", role: "worker" }] });
        await run();
        expect(servers()).toEqual([
            "server cp-2.cluster-42.internal 10.0.1.12:6443",
            "server cp-3.cluster-42.internal 10.0.1.13:6443",
        ]);
    });

    test("leaves a running balancer alone when nothing changed", async () => {
        install();
        await run();
        node.forget();
        await run();
        expect(node.calls("systemctl")).toEqual(["systemctl start exk8s-balancer"]);
    });

    test("keeps what works when haproxy refuses the new text", async () => {
        install();
        await run();
        const before = node.read("/etc/exk8s/runtime/haproxy.cfg");
        node.program("haproxy", "exit 1");
        node.write("/etc/exk8s/runtime/peers.json", JSON.stringify(peers(own).slice(0, 1)));
        expect((await run()).code).toBe(1);
        expect(node.read("/etc/exk8s/runtime/haproxy.cfg")).toBe(before);
    });
});

describe("joining etcd", () => {
    const run = () => node.run("/usr/local/bin/exk8s-etcd-join.sh");
    const settings = () => node.read("/etc/exk8s/runtime/etcd.env");
    const member = (id: string, name: string, address: string, learner = false) =>
        `${id}, ${name === "" ? "unstarted" : "started"}, ${name}, https://${address}:2380, https://${address}:2379, ${learner}\n`;
    let leases: string[];

    /** An etcd whose members are the lines of a file; the node's own starts with systemctl. */
    function cluster(members: string): void {
        node.write("/members", members);
        node.program(
            "etcdctl",
            `file="$EXK8S_ROOT/members"
while [[ "$1" == --* ]]; do shift; done
case "$2" in
    list) cat "$file" ;;
    remove) sed -i "/^$3, /d" "$file" ;;
    add) echo "ffffffffffffffff, unstarted, , \${5#--peer-urls=}, , true" >>"$file" ;;
    promote)
        [[ -e "$EXK8S_ROOT/asked" ]] || { touch "$EXK8S_ROOT/asked"; echo "not in sync" >&2; exit 1; }
        sed -i "/^$3, /s/true$/false/" "$file" ;;
esac`,
        );
        node.program(
            "systemctl",
            `[[ "$*" != "start --no-block etcd" ]] || [[ ! -e "$EXK8S_ROOT/members" ]] ||
    sed -i 's#unstarted, , https://10.0.1.5:2380, ,#started, ${own}, https://10.0.1.5:2380, https://10.0.1.5:2379,#' "$EXK8S_ROOT/members"`,
        );
    }

    beforeEach(() => {
        leases = [];
        server.routes["PUT /agent/leases/etcd-join"] = () => {
            leases.push("take");
            return { status: 200, body: { granted: leases.length > 1, holder: "cp-1" } };
        };
        server.routes["DELETE /agent/leases/etcd-join"] = () => {
            leases.push("release");
            return { status: 204 };
        };
    });

    test("founders start with the whole set, without a lease", async () => {
        install({});
        expect(await run()).toMatchObject({ code: 0 });
        expect(settings()).toBe(
            "ETCD_INITIAL_CLUSTER_STATE='new'\nETCD_INITIAL_CLUSTER='cp-1.cluster-42.internal=https://10.0.1.5:2380,cp-2.cluster-42.internal=https://10.0.1.12:2380,cp-3.cluster-42.internal=https://10.0.1.13:2380'\n",
        );
        expect(node.calls("systemctl")).toEqual(["systemctl start --no-block etcd"]);
        expect(leases).toEqual([]);
    });

    test("a replacement removes its dead namesake, joins as a learner and is promoted", async () => {
        install({ etcd: { state: "existing" } });
        cluster(
            member("8e9e05c52164694d", own, "10.0.1.4") +
                member("a1", "cp-2.cluster-42.internal", "10.0.1.12") +
                member("a2", "cp-3.cluster-42.internal", "10.0.1.13"),
        );
        expect(await run()).toMatchObject({ code: 0 });
        expect(node.read("/members").split("\n").slice(0, 3)).toEqual([
            "a1, started, cp-2.cluster-42.internal, https://10.0.1.12:2380, https://10.0.1.12:2379, false",
            "a2, started, cp-3.cluster-42.internal, https://10.0.1.13:2380, https://10.0.1.13:2379, false",
            `ffffffffffffffff, started, ${own}, https://10.0.1.5:2380, https://10.0.1.5:2379, false`,
        ]);
        expect(settings()).toBe(
            `ETCD_INITIAL_CLUSTER_STATE='existing'\nETCD_INITIAL_CLUSTER='cp-2.cluster-42.internal=https://10.0.1.12:2380,cp-3.cluster-42.internal=https://10.0.1.13:2380,${own}=https://10.0.1.5:2380'\n`,
        );
        expect(leases).toEqual(["take", "take", "release"]);
    });

    test("a member of this address that lost its disk is removed too", async () => {
        install({ etcd: { state: "existing" } });
        cluster(
            member("b0", own, "10.0.1.5") + member("a1", "cp-2.cluster-42.internal", "10.0.1.12"),
        );
        expect(await run()).toMatchObject({ code: 0 });
        expect(node.calls("etcdctl").some((call) => call.endsWith("member remove b0"))).toBe(true);
    });

    test("a run that was cut off after adding itself does not add itself twice", async () => {
        install({ etcd: { state: "existing" } });
        cluster(
            member("a1", "cp-2.cluster-42.internal", "10.0.1.12") +
                "c3, unstarted, , https://10.0.1.5:2380, , true\n" +
                "dd, unstarted, , https://10.0.1.77:2380, , true\n",
        );
        expect(await run()).toMatchObject({ code: 0 });
        const calls = node.calls("etcdctl").join("\n");
        expect(calls).not.toContain("member add");
        expect(calls).toContain("member remove dd");
        expect(calls).not.toMatch(/remove (a1|c3)/);
        expect(node.read("/members")).toContain(`c3, started, ${own}`);
    });

    test("a member with data is only started", async () => {
        install({});
        cluster(member("a0", own, "10.0.1.5"));
        node.write("/var/lib/etcd/data/member/snap/db", "");
        expect(await run()).toMatchObject({ code: 0 });
        expect(settings()).toContain("STATE='existing'");
        expect(node.calls("etcdctl").join("\n")).not.toMatch(/member (add|remove)/);
    });

    test("alone in a cluster that was founded, it says what to do", async () => {
        install({ etcd: { state: "existing" }, peers: peers(own).slice(0, 1) });
        const run1 = await run();
        expect(run1.code).toBe(1);
        expect(run1.output).toContain("restore etcd from a snapshot");
        expect(node.has("/etc/exk8s/runtime/etcd.env")).toBe(false);
    });
});

describe("addons", () => {
    const run = () => node.run("/usr/local/bin/exk8s-install-cluster-addons.sh");
    const done = "/etc/exk8s/runtime/addons.done";
    const steps = () =>
        node
            .calls("kubectl", "helm")
            .map((call) => call.replaceAll(node.root, ""))
            .filter((call) => /apply .*\/manifests\/|rollout|^helm/.test(call))
            .map((call) => call.replace(/ --timeout.*| -n kube-system/g, ""))
            .map((call) => call.replace(/apply .*? --filename/, "apply --filename"));

    beforeEach(() => {
        server.routes["PUT /agent/leases/addons"] = () => ({
            status: 200,
            body: { granted: true },
        });
        server.routes["DELETE /agent/leases/addons"] = () => ({ status: 204 });
    });

    function api(): void {
        // The mark is what `apply` was given; `get configmap` reads it.
        node.program(
            "kubectl",
            `case "$*" in
    *"get configmap exk8s-addons"*) cat "$EXK8S_ROOT/mark" 2>/dev/null ;;
    "apply "*" --filename=-") sed -n 's/^  digest: "\\(.*\\)"/\\1/p' | tr -d '\\n' >"$EXK8S_ROOT/mark" ;;
esac
exit 0`,
        );
        node.program("helm", "");
    }

    test("come in the order in which they need each other, and once", async () => {
        install();
        api();
        expect(await run()).toMatchObject({ code: 0 });
        expect(steps()).toEqual([
            "kubectl apply --filename=/etc/exk8s/manifests/rbac.yaml --filename=/etc/exk8s/manifests/kube-proxy.yaml",
            "helm upgrade --install cilium oci://quay.io/cilium/charts/cilium --version 1.19.3 --namespace kube-system --values /etc/exk8s/config/cilium-values.yaml --set operator.replicas=2 --wait",
            "kubectl rollout status daemonset/cilium",
            "kubectl rollout status daemonset/kube-proxy",
            "kubectl apply --filename=/etc/exk8s/manifests/coredns.yaml",
            "kubectl rollout status deployment/coredns",
        ]);
        node.forget();
        const digest = node.read(done);
        expect(digest).toBe(`${node.read("/mark")}\n`);
        // Another control plane did them: this one keeps that for itself too.
        node.write(done, "");
        expect(await run()).toMatchObject({ code: 0 });
        expect(steps()).toEqual([]);
        expect(node.read(done)).toBe(digest);
        const lease = server.calls.filter((call) => call.path.startsWith("/agent/leases"));
        expect(lease.map((call) => call.method)).toEqual(["PUT", "DELETE", "PUT", "DELETE"]);
    });

    test("unlock a release that a node left half installed", async () => {
        install();
        api();
        await run();
        const calls = node.calls("kubectl", "helm");
        const unlock = calls.findIndex((call) => call.includes("status in (pending-install"));
        expect(unlock).toBeGreaterThan(-1);
        expect(calls[unlock + 1]).toMatch(/^helm upgrade/);
    });

    test("come again when one of their files changed", async () => {
        install();
        api();
        await run();
        node.forget();
        node.write("/etc/exk8s/manifests/coredns.yaml", "kind: List\n");
        await run();
        expect(steps()).toHaveLength(6);
    });

    test("of a node that is alone wait for its own rules, not for what the API knows", async () => {
        install({ peers: peers(own).slice(0, 1) }, { cni: "bridge" });
        api();
        expect(await run()).toMatchObject({ code: 0 });
        const rules = node
            .calls("curl")
            .findIndex((call) => call.endsWith("https://10.96.0.1/readyz"));
        expect(rules).toBeGreaterThan(-1);
        expect(steps().slice(1)).toEqual([
            "kubectl apply --filename=/etc/exk8s/manifests/coredns.yaml",
            "kubectl rollout status deployment/coredns",
        ]);
    });

    test("without a pod network, DNS is installed and not waited for", async () => {
        install({}, { cni: "none" });
        api();
        expect(await run()).toMatchObject({ code: 0 });
        expect(steps().at(-1)).toBe("kubectl apply --filename=/etc/exk8s/manifests/coredns.yaml");
        expect(steps().join()).not.toContain("helm");
    });

    test("that fail are reported, release the lease and leave no mark", async () => {
        install();
        api();
        node.program("helm", "echo no chart; exit 1");
        expect((await run()).code).toBe(1);
        expect(node.has("/mark")).toBe(false);
        expect(node.has(done)).toBe(false);
        expect(server.reports.map((one) => [one["phase"], one["state"]])).toEqual([
            ["addons", "running"],
            ["addons", "failed"],
        ]);
        expect(server.reports[1]!["log_tail"]).toContain("no chart");
        expect(server.calls.some((call) => call.method === "DELETE")).toBe(true);
    });
});

describe("the installer", () => {
    const run = () => node.run("/usr/local/bin/exk8s-install-control-plane-prereqs.sh");

    test("takes the packages that are missing from the mirror", async () => {
        install({}, { mirrors: { packages: "http://mirror.test/debian" } });
        node.write("/etc/exk8s/config/downloads.tsv", "");
        node.write("/etc/os-release", "ID=debian\nVERSION_CODENAME=bookworm\n");
        // It says nothing of what it does not know, and ends with an error.
        node.program(
            "dpkg-query",
            `shift 3; for one; do case "$one" in
    jq) ;;
    socat) echo "socat config-files" ;;
    *) echo "$one installed" ;;
esac; done; exit 1`,
        );
        node.program(
            "apt-get",
            'for one; do [[ "$one" != Dir::Etc::sourcelist=* ]] || cat "${one#*=}"; done >"$EXK8S_ROOT/sources"',
        );
        expect(await run()).toMatchObject({ code: 0 });
        expect(node.read("/sources")).toBe("deb http://mirror.test/debian bookworm main\n");
        expect(node.calls("apt-get").at(-1)).toMatch(
            /DPkg::Lock::Timeout=600 .* install -y --no-install-recommends jq socat$/,
        );
    });

    /** A mirror with every download, its checksums, and archives with the members upstream has. */
    function mirror(): void {
        install({}, { mirrors: { binaries: server.url } });
        node.program("dpkg-query", everyPackage);
        node.program("uname", "echo x86_64");
        // The installer trusts the system's CAs; this mirror's certificate is made up.
        node.program("curl", 'PATH="${PATH#*:}" exec curl --insecure "$@"');
        const table = node.read("/etc/exk8s/config/downloads.tsv").trimEnd().split("\n");
        for (const row of table.map((line) => line.replaceAll("ARCH", "amd64").split("\t"))) {
            const [name, , address, checksums, , , , strip, members, proof] = row;
            let content = Buffer.from(`program ${name!}`);
            if (strip !== "-") {
                const folder = join(node.root, "pack", name!);
                const base = proof!.split("/").at(-1)!;
                const paths =
                    members === "-" ? [strip === "1" ? `bin/${base}` : base] : members!.split(",");
                for (const path of paths) {
                    mkdirSync(join(folder, path, ".."), { recursive: true });
                    writeFileSync(join(folder, path), `program ${path}`);
                }
                execFileSync("tar", ["-czf", `${folder}.tgz`, "-C", folder, "."]);
                content = readFileSync(`${folder}.tgz`);
                // Upstream's archives name their members without `./`.
                execFileSync("tar", [
                    "-czf",
                    `${folder}.tgz`,
                    "-C",
                    folder,
                    ...new Set(paths.map((path) => path.split("/")[0]!)),
                ]);
                content = readFileSync(`${folder}.tgz`);
            }
            const digest = sha256Of(content);
            const file = address!.split("/").at(-1)!;
            const line =
                name === "kubelet" ? digest : `${"0".repeat(64)}  other\n${digest} *${file}\n`;
            server.routes[`GET /${address!}`] = () => ({ status: 200, body: content });
            server.routes[`GET /${checksums!}`] = () => ({ status: 200, body: Buffer.from(line) });
        }
    }

    const sha256Of = (content: Buffer) =>
        execFileSync("sha256sum", { input: content, encoding: "utf8" }).slice(0, 64);

    test("puts every program in its place, stamps it, and then has nothing to do", async () => {
        mirror();
        expect(await run()).toMatchObject({ code: 0 });
        expect(node.read("/usr/local/bin/kubelet")).toBe("program kubelet");
        expect(node.mode("/usr/local/bin/kubelet")).toBe("0755");
        expect(node.read("/usr/local/bin/etcdctl")).toContain("etcdctl");
        expect(node.has("/usr/local/bin/containerd")).toBe(true);
        expect(node.has("/opt/cni/bin/loopback")).toBe(true);
        expect(node.read("/var/lib/exk8s/installed/etcd")).toBe("v3.6.16\n");
        const seen = server.calls.length;
        expect(await run()).toMatchObject({ code: 0 });
        expect(server.calls).toHaveLength(seen);
    });

    test("replaces what has another version, only that", async () => {
        mirror();
        await run();
        node.write("/var/lib/exk8s/installed/kubelet", "v1.34.0\n");
        const seen = server.calls.length;
        await node.run("/usr/local/bin/exk8s-install-control-plane-prereqs.sh", {
            EXK8S_CHANGES: join(node.root, "changes"),
        });
        expect(server.calls.slice(seen).map((call) => call.path)).toEqual([
            "/dl.k8s.io/v1.35.4/bin/linux/amd64/kubelet",
            "/dl.k8s.io/v1.35.4/bin/linux/amd64/kubelet.sha256",
        ]);
        expect(node.read("/changes")).toBe("/usr/local/bin/kubelet\n");
    });

    test("refuses a program with another digest", async () => {
        mirror();
        server.routes["GET /dl.k8s.io/v1.35.4/bin/linux/amd64/kubelet"] = () => ({
            status: 200,
            body: Buffer.from("something else"),
        });
        const result = await run();
        expect(result.code).toBe(1);
        expect(result.output).toMatch(
            /kubelet v1\.35\.4 from .* has SHA-256 [0-9a-f]{16}\.\.\., expected [0-9a-f]{16}\.\.\./,
        );
        expect(node.has("/usr/local/bin/kubelet")).toBe(false);
    });
});

describe("the runner", () => {
    test("goes through its phases, reports each, and starts the agent", async () => {
        install();
        for (const name of [
            "exk8s-install-control-plane-prereqs",
            "exk8s-etcd-join",
            "exk8s-balancer",
        ]) {
            node.write(
                `/usr/local/bin/${name}.sh`,
                `#!/bin/bash\necho ${name} >>"$EXK8S_ROOT/calls"\n`,
                "0755",
            );
        }
        node.program("openssl", "echo 'notBefore=Jan  1 00:00:00 2020 GMT'");
        node.program("sysctl", "echo 1");
        node.program("kubectl", "");
        expect(await node.run("/usr/local/bin/exk8s-bootstrap.sh")).toMatchObject({
            code: 0,
        });
        expect(
            server.reports.map((one) => `${String(one["phase"])} ${String(one["state"])}`),
        ).toEqual(
            ["install", "etcd", "kubelet", "apiserver", "node-ready"].flatMap((phase) => [
                `${phase} running`,
                `${phase} done`,
            ]),
        );
        expect(node.has("/etc/exk8s/runtime/bootstrap.done")).toBe(true);
        expect(node.read("/etc/kubernetes/kubelet.conf.d/20-resolv-conf.conf")).toContain(
            "resolvConf: /etc/resolv.conf",
        );
        expect(node.calls("systemctl").slice(-3)).toEqual([
            "systemctl enable exk8s-node-agent.timer",
            "systemctl start exk8s-node-agent.timer",
            "systemctl start --no-block exk8s-node-agent.service",
        ]);
        expect(node.calls("systemctl")).toContain("systemctl start --no-block exk8s-addons");
    });

    test.each([
        ["of a founder that is alone at once", 1, ["kube-apiserver.yaml"]],
        ["of one of several when etcd has its quorum", 3, []],
    ])(
        "gives kubelet the API server %s, and what needs it when it is ready",
        async (_, count, early) => {
            const founders = peers(own).slice(0, count);
            install({ peers: founders, etcd: { state: "new", members: founders } });
            const list = `(cd "$EXK8S_ROOT/etc/kubernetes/manifests" && printf '%s\n' "$1:" *.yaml | xargs >>"$EXK8S_ROOT/seen")`;
            node.write("/list", list);
            const see = (moment: string) => `bash -O nullglob "$EXK8S_ROOT/list" ${moment}`;
            node.write(
                "/usr/local/bin/exk8s-install-control-plane-prereqs.sh",
                "#!/bin/bash\n",
                "0755",
            );
            node.write("/usr/local/bin/exk8s-balancer.sh", "#!/bin/bash\n", "0755");
            node.write(
                "/usr/local/bin/exk8s-etcd-join.sh",
                `#!/bin/bash\n${see("etcd")}\n`,
                "0755",
            );
            node.program("openssl", "echo 'notBefore=Jan  1 00:00:00 2020 GMT'");
            node.program("sysctl", "echo 1");
            node.program("kubectl", "");
            node.program(
                "systemctl",
                `case "$*" in *kubelet) ${see("kubelet")} ;; *exk8s-addons) ${see("addons")} ;; esac`,
            );
            expect(await node.run("/usr/local/bin/exk8s-bootstrap.sh")).toMatchObject({
                code: 0,
            });
            const all = "kube-apiserver.yaml kube-controller-manager.yaml kube-scheduler.yaml";
            const seen = node.read("/seen").trimEnd().split("\n");
            expect(seen).toEqual(["kubelet:", ["etcd:", ...early].join(" "), `addons: ${all}`]);
            // Started again, it takes nothing from a kubelet that runs.
            await node.run("/usr/local/bin/exk8s-bootstrap.sh");
            expect(node.read("/seen").trimEnd().split("\n").slice(3)).toEqual([
                `kubelet: ${all}`,
                `etcd: ${all}`,
                `addons: ${all}`,
            ]);
        },
    );

    test("is not done before the agent's timer is enabled", async () => {
        install();
        node.write("/etc/exk8s/config/downloads.tsv", "");
        node.program("dpkg-query", everyPackage);
        node.program("openssl", "echo 'notBefore=Jan  1 00:00:00 2020 GMT'");
        node.program("sysctl", "echo 1");
        node.program("kubectl", "");
        node.program("systemctl", '[[ "$*" != "enable"*"exk8s-node-agent.timer" ]] || exit 1');
        expect((await node.run("/usr/local/bin/exk8s-bootstrap.sh")).code).toBe(1);
        expect(node.has("/etc/exk8s/runtime/bootstrap.done")).toBe(false);
    });

    test("stops at the phase that fails, says why, and is not done", async () => {
        install();
        node.write(
            "/usr/local/bin/exk8s-install-control-plane-prereqs.sh",
            "#!/bin/bash\necho the mirror is gone; exit 3\n",
            "0755",
        );
        expect((await node.run("/usr/local/bin/exk8s-bootstrap.sh")).code).toBe(3);
        expect(server.reports.at(-1)).toMatchObject({
            phase: "install",
            state: "failed",
            log_tail: ["the mirror is gone"],
        });
        expect(node.has("/etc/exk8s/runtime/bootstrap.done")).toBe(false);
    });

    test("takes the resolver's real file where the stub would loop", async () => {
        install();
        node.write("/run/systemd/resolve/resolv.conf", "nameserver 10.0.0.2\n");
        node.program("openssl", "echo 'notBefore=Jan  1 00:00:00 2020 GMT'");
        node.program("sysctl", "echo 1");
        node.program("kubectl", "");
        node.program("dpkg-query", everyPackage);
        node.write("/etc/exk8s/config/downloads.tsv", "");
        await node.run("/usr/local/bin/exk8s-bootstrap.sh");
        expect(node.read("/etc/kubernetes/kubelet.conf.d/20-resolv-conf.conf")).toContain(
            "/run/systemd/resolve/resolv.conf",
        );
    });
});

describe("reports", () => {
    test("hold no secret of the log, and its last twenty lines", async () => {
        install();
        const lines = [
            "-----BEGIN PRIVATE KEY-----",
            "MIIEvQIBADANBgkq",
            "-----END PRIVATE KEY-----",
            "Authorization: Bearer abc.def",
            `token=${"a1B2".repeat(16)}`,
            ...Array.from({ length: 17 }, (_, n) => `line ${n}`),
        ];
        node.write("/log", lines.map((line) => `${line}\n`).join(""));
        const result = await node.run(
            `. "$EXK8S_ROOT/usr/local/lib/exk8s/common.sh"; . "$EXK8S_ROOT/usr/local/lib/exk8s/report.sh"
exk8s_load_environment; exk8s_report install failed "$(exk8s_now)" "$(exk8s_now)" "why" "$EXK8S_ROOT/log"`,
        );
        expect(result).toMatchObject({ code: 0 });
        const tail = server.reports[0]!["log_tail"] as string[];
        expect(tail).toHaveLength(20);
        expect(tail.slice(0, 4)).toEqual([
            "[redacted]",
            "Authorization: Bearer [redacted]",
            "[redacted]",
            "line 0",
        ]);
    });
});

describe("the metadata guard", () => {
    test("drops pods' packets to the service's address and port, once", async () => {
        install();
        const cluster = node.read("/etc/exk8s/config/cluster.env");
        expect(cluster).toContain("IMDS_URL='http://imdsapi.excloud.in'");
        node.write(
            "/etc/exk8s/config/cluster.env",
            cluster.replace(/IMDS_URL=.*/, "IMDS_URL='http://imds.test:8080'"),
        );
        node.program("getent", "echo '169.254.169.254 STREAM imds.test'");
        node.program(
            "iptables",
            '[[ "$*" != *"-C PREROUTING"* || -e "$EXK8S_ROOT/rule" ]] && touch "$EXK8S_ROOT/rule"',
        );
        expect(await node.run("/usr/local/bin/exk8s-imds-guard.sh")).toMatchObject({ code: 0 });
        expect(await node.run("/usr/local/bin/exk8s-imds-guard.sh")).toMatchObject({ code: 0 });
        const added = node.calls("iptables").filter((call) => call.includes("-I PREROUTING"));
        expect(added).toEqual([
            "iptables -w 10 -t raw -I PREROUTING 1 -s 10.244.0.0/16 -d 169.254.169.254 -p tcp --dport 8080 -j DROP",
        ]);
    });
});

test("the digest helper agrees with the shell's", () => {
    expect(sha256("é\n")).toBe(
        execFileSync("sha256sum", { input: "é\n", encoding: "utf8" }).slice(0, 64),
    );
});
