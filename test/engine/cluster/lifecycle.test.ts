import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { setArguments } from "../../../tools/playground/playground";
import { type Bench, fileOnNode, nameOf, openBench, type Step, typeOf, unknown } from "./harness";

// One cluster of three control planes through its life, on the real engine. The tests build on each
// other: each leaves the cluster to the next.

let bench: Bench;
const slots = ["cp-1", "cp-2", "cp-3"];
const flag = "--goaway-chance=0.001";
const replaced = (steps: Step[]) =>
    steps.filter(({ op }) => /replace/.test(op)).map((step) => `${typeOf(step)} ${nameOf(step)}`);
// A preview lists no step for what stays as it is.
const stepOf = (steps: Step[], type: string, name: string) =>
    steps.find((step) => typeOf(step) === type && nameOf(step) === name && !/delete/.test(step.op));
const filesOf = (step: Step | undefined): Record<string, unknown> => ({
    ...(step?.newState?.inputs?.["files"] as object),
});
const unknownPaths = (files: Record<string, unknown>) =>
    Object.keys(files)
        .filter((path) => files[path] === unknown)
        .sort();

beforeAll(async () => {
    bench = await openBench();
});
afterAll(() => bench?.close());

describe("the first preview", () => {
    let steps: Step[];

    test("lists every node and every file", async () => {
        steps = await bench.preview();
        for (const slot of slots) {
            const bundle = stepOf(steps, "NodeBundle", `quickstart-${slot}`);
            expect(Object.keys(filesOf(bundle)).sort()).toEqual([
                "/etc/exk8s/config/node.env",
                "/etc/exk8s/pki/apiserver.pem",
                "/etc/exk8s/pki/etcd-peer.pem",
                "/etc/exk8s/pki/kubelet-server.pem",
                "/etc/kubernetes/manifests/kube-apiserver.yaml",
            ]);
        }
        const shared = filesOf(stepOf(steps, "RoleFiles", "quickstart-control-plane"));
        expect(Object.keys(shared).length).toBeGreaterThan(35);
    });

    test("knows the text of what depends on no id, address or key", () => {
        const shared = filesOf(stepOf(steps, "RoleFiles", "quickstart-control-plane"));
        expect(shared["/etc/kubernetes/manifests/kube-scheduler.yaml"]).toContain(
            "kube-scheduler:v1.",
        );
        expect(unknownPaths(shared)).toEqual([
            "/etc/exk8s/config/cluster.env",
            "/etc/exk8s/pki/apiserver-etcd-client.pem",
            "/etc/exk8s/pki/apiserver-kubelet-client.pem",
            "/etc/exk8s/pki/ca.pem",
            "/etc/exk8s/pki/etcd-ca.pem",
            "/etc/exk8s/pki/front-proxy-ca.pem",
            "/etc/exk8s/pki/front-proxy-client.pem",
            "/etc/exk8s/pki/service-account.pem",
            "/etc/kubernetes/manifests/kube-controller-manager.yaml",
            "/etc/systemd/system/etcd.service",
        ]);
    });
});

describe("up", () => {
    test("makes the cluster, and shows the nodes' phases meanwhile", async () => {
        const output = await bench.pulumi(["up", "--yes", "--skip-preview"]);
        for (const slot of slots) {
            expect(output).toContain(`${slot}  ready`);
        }
        expect(await bench.vms()).toHaveLength(3);
    });

    test("a second one finds nothing to do", async () => {
        await bench.pulumi(["preview", "--expect-no-changes"]);
        await bench.pulumi(["up", "--yes", "--skip-preview", "--expect-no-changes"]);
    });

    // The engine writes the whole state after each step. Most of it is what tls resources repeat (the
    // benchmark prints the parts). Stack traces are left out: they hold the checkout's paths.
    test("stays within 100 resources and 680 kB of state", async () => {
        const resources = await bench.resources();
        expect(resources.length).toBeLessThanOrEqual(100);
        const kept = resources.map((resource) => ({ ...resource, stackTrace: undefined }));
        expect(JSON.stringify(kept).length).toBeLessThanOrEqual(680_000);
    });

    test("resource names and types are the frozen ones", async () => {
        const names = (await bench.resources()).map((r) => r.urn.split("::").slice(2).join(" "));
        expect(names.sort()).toMatchSnapshot();
    });
});

describe("a changed flag", () => {
    test("previews as that line of that file on each node, with nothing unknown", async () => {
        await setArguments(bench.stack, ["apiServerExtraArgs.goaway-chance=0.001"]);
        const steps = await bench.preview();
        const changed = steps.filter(({ op }) => op !== "same");
        expect(changed.map((step) => `${step.op} ${typeOf(step)} ${nameOf(step)}`).sort()).toEqual([
            "update ClusterReadiness quickstart",
            ...slots.map((slot) => `update NodeBundle quickstart-${slot}`),
        ]);
        for (const slot of slots) {
            const { newState } = stepOf(steps, "NodeBundle", `quickstart-${slot}`) ?? {};
            expect(JSON.stringify(newState?.inputs)).not.toContain(unknown);
            expect(JSON.stringify(newState?.inputs)).toContain(flag);
        }
        const text = await bench.pulumi(["preview", "--diff"]);
        expect(text.match(/^ *\+ +- --goaway-chance=0\.001$/gm)).toHaveLength(3);
    });

    test("reaches every node before up ends, and each reports it", async () => {
        await bench.pulumi(["up", "--yes", "--skip-preview"]);
        for (const { vm_id } of await bench.vms()) {
            const manifest = "/etc/kubernetes/manifests/kube-apiserver.yaml";
            expect(fileOnNode(bench, vm_id, manifest)).toContain(flag);
        }
    });
});

test("fewer control planes are refused while nothing is deleted yet", async () => {
    await setArguments(bench.stack, ["controlPlaneCount=1"]);
    const output = await bench.pulumi(["up", "--yes", "--skip-preview"], 1);
    expect(output).toContain("etcd would lose its quorum");
    expect(await bench.vms()).toHaveLength(3);
    await setArguments(bench.stack, ["controlPlaneCount=3"]);
});

describe("a change that only a replacement can make", () => {
    test("is refused, and the message names the way", async () => {
        await setArguments(bench.stack, ["controlPlaneImageId=2"]);
        const output = await bench.pulumi(["up", "--yes", "--skip-preview"], 1);
        expect(output).toMatch(/replaceNodes: \["cp-\d"\]/);
        expect(await bench.vms()).toHaveLength(3);
    });

    test("replaces the listed node alone, by exactly one new VM", async () => {
        const before = await bench.vms();
        await bench.stack.set("cluster.replaceNodes[0]", "cp-2");
        await bench.pulumi(["up", "--yes", "--skip-preview"]);
        const after = await bench.vms();
        const isNew = ({ vm_id }: { vm_id: number }) => !before.some((vm) => vm.vm_id === vm_id);
        expect(after).toHaveLength(3);
        expect(after.filter(isNew).map(({ name }) => name)).toEqual([
            expect.stringMatching(/-cp-2$/),
        ]);
    });
});

describe("a replacement that the user forces", () => {
    const vmOf = async (slot: string) =>
        (await bench.resources()).find(
            (r) => typeOf(r) === "VirtualMachine" && nameOf(r) === `quickstart-${slot}`,
        )!;

    test("previews with only the node's own addresses and certificates unknown", async () => {
        const { urn } = await vmOf("cp-3");
        const steps = await bench.preview(["--replace", urn]);
        const own = filesOf(stepOf(steps, "NodeBundle", "quickstart-cp-3"));
        expect(unknownPaths(own)).toEqual([
            "/etc/exk8s/config/node.env",
            "/etc/exk8s/pki/apiserver.pem",
            "/etc/exk8s/pki/etcd-peer.pem",
            "/etc/exk8s/pki/kubelet-server.pem",
            "/etc/kubernetes/manifests/kube-apiserver.yaml",
        ]);
        for (const slot of ["cp-1", "cp-2"]) {
            expect(stepOf(steps, "NodeBundle", `quickstart-${slot}`)).toBeUndefined();
        }
        expect(stepOf(steps, "RoleFiles", "quickstart-control-plane")).toBeUndefined();
        expect(replaced(steps).every((name) => name.includes("cp-3"))).toBe(true);
    });

    test("ends with exactly one new VM", async () => {
        const old = await vmOf("cp-3");
        await bench.pulumi(["up", "--yes", "--skip-preview", "--replace", old.urn]);
        const fresh = await vmOf("cp-3");
        expect(fresh.id).not.toBe(old.id);
        const vms = await bench.vms();
        expect(vms).toHaveLength(3);
        expect(vms.map(({ vm_id }) => String(vm_id))).toContain(fresh.id);
        expect(vms.map(({ vm_id }) => String(vm_id))).not.toContain(old.id);
    });
});

describe("a renewed certificate", () => {
    test("previews as unknown only where it is embedded, and reaches its node without touching VMs", async () => {
        const certificate = (await bench.resources()).find(
            (r) => typeOf(r) === "LocallySignedCert" && nameOf(r) === "quickstart-cp-1-apiserver",
        )!;
        const steps = await bench.preview(["--replace", certificate.urn]);
        const own = filesOf(stepOf(steps, "NodeBundle", "quickstart-cp-1"));
        expect(unknownPaths(own)).toEqual(["/etc/exk8s/pki/apiserver.pem"]);
        expect(steps.filter((step) => typeOf(step) === "VirtualMachine")).toEqual([]);

        const before = await bench.vms();
        const vm = before.find(({ name }) => name.endsWith("-cp-1"))!;
        const old = fileOnNode(bench, vm.vm_id, "/etc/exk8s/pki/apiserver.pem");
        await bench.pulumi(["up", "--yes", "--skip-preview", "--replace", certificate.urn]);
        expect(fileOnNode(bench, vm.vm_id, "/etc/exk8s/pki/apiserver.pem")).not.toBe(old);
        expect((await bench.vms()).map(({ vm_id }) => vm_id).sort()).toEqual(
            before.map(({ vm_id }) => vm_id).sort(),
        );
    });
});

describe("changes behind the stack's back", () => {
    test("a removed rule and a changed record show after refresh, and up mends them", async () => {
        const [group] = await bench.cloud("securityGroupList");
        const [rule] = await bench.cloud("ruleList", { security_group_id: group!.id });
        await bench.cloud("ruleDelete", { security_group_rule_id: rule!.id });
        const zone_name = "k8s.excloud.co.in";
        const records = await bench.cloud("recordList", { zone_name });
        const { ttl: _, ...record } = records[0]!;
        await bench.cloud("recordDelete", record);

        const shown = await bench.pulumi(["refresh", "--yes", "--diff", "--skip-preview"]);
        expect(shown).toContain(record.value);
        const changed = (await bench.preview()).filter(({ op }) => op !== "same");
        expect(changed.map(typeOf).sort()).toEqual(["DnsRecord", "SecurityGroup"]);
        await bench.pulumi(["up", "--yes", "--skip-preview"]);
        expect(await bench.cloud("ruleList", { security_group_id: group!.id })).toHaveLength(3);
        expect(await bench.cloud("recordList", { zone_name })).toHaveLength(3);
        await bench.pulumi(["preview", "--expect-no-changes"]);
    });

    test("a terminated VM is found by refresh and made anew", async () => {
        const lost = (await bench.vms()).find(({ name }) => name.endsWith("-cp-1"))!;
        await bench.cloud("vmTerminate", { vm_id: lost.vm_id, delete_root_volume: true });
        await bench.pulumi(["refresh", "--yes", "--skip-preview"]);
        await bench.pulumi(["up", "--yes", "--skip-preview"]);
        const vms = await bench.vms();
        expect(vms).toHaveLength(3);
        expect(vms.map(({ vm_id }) => vm_id)).not.toContain(lost.vm_id);
    });
});

describe("destroy", () => {
    test("leaves nothing, in the cloud and at the bootstrap server", async () => {
        await bench.pulumi(["destroy", "--yes", "--skip-preview"]);
        expect(Object.values(await bench.inventory()).flat()).toEqual([]);
        expect(await bench.resources()).toEqual([]);
    });
});
