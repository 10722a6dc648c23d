import { beforeAll, describe, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";

import { InvalidArgumentsError, KeyAlgorithm, PodNetwork } from "../../../components";
import { fileInputs, manifestOf, textFile } from "../../../components/files";
import { sha256 } from "../../../contract/manifest";
import { type Program, type Registered, runProgram, secretIn, valueOf } from "./support";

// The component on mocks: what it registers, with which inputs. What the engine makes of it is tested on
// the engine.

const ownFiles = [
    "/etc/exk8s/config/node.env",
    "/etc/exk8s/pki/apiserver.pem",
    "/etc/exk8s/pki/etcd-peer.pem",
    "/etc/exk8s/pki/kubelet-server.pem",
    "/etc/kubernetes/manifests/kube-apiserver.yaml",
];
const ownSecretFiles = [
    "/etc/exk8s/kubeconfig/kubelet.kubeconfig",
    "/etc/exk8s/pki/apiserver-key.pem",
    "/etc/exk8s/pki/etcd-peer-key.pem",
    "/etc/exk8s/pki/kubelet-server-key.pem",
];
const sharedSecretFiles = [
    "/etc/exk8s/kubeconfig/admin.kubeconfig",
    "/etc/exk8s/kubeconfig/controller-manager.kubeconfig",
    "/etc/exk8s/kubeconfig/kube-proxy.kubeconfig",
    "/etc/exk8s/kubeconfig/scheduler.kubeconfig",
    "/etc/exk8s/pki/apiserver-etcd-client-key.pem",
    "/etc/exk8s/pki/apiserver-kubelet-client-key.pem",
    "/etc/exk8s/pki/front-proxy-client-key.pem",
    "/etc/exk8s/pki/service-account-key.pem",
];

let single: Program;
let triple: Program;

beforeAll(async () => {
    single = await runProgram();
    triple = await runProgram({ controlPlaneCount: 3 });
});

const map = (resource: Registered, name: string) =>
    (resource.inputs[name] ?? {}) as Record<string, string>;
const slots = ["cp-1", "cp-2", "cp-3"];
const bundleOf = (program: Program, slot: string) => program.one("NodeBundle", `prod-${slot}`);
const machineOf = (program: Program, slot: string) => program.one("VirtualMachine", `prod-${slot}`);
const shared = (program: Program) => program.one("RoleFiles", "prod-control-plane");

describe("what is registered", () => {
    const counts = (program: Program) =>
        Object.fromEntries(
            [...new Set(program.resources.map(({ type }) => type))]
                .sort()
                .map((type) => [type, program.of(type).length]),
        );
    const expected = (nodes: number) => ({
        CertRequest: 8 + 4 * nodes,
        ClusterPki: 1,
        ClusterReadiness: 1,
        ClusterRegistration: 1,
        ControlPlaneNode: nodes,
        DnsRecord: 1,
        ExcloudK8sCluster: 1,
        LocallySignedCert: 8 + 4 * nodes,
        NodeAddress: nodes,
        NodeBundle: nodes,
        NodeSlot: nodes,
        PrivateKey: 12 + 4 * nodes,
        RoleFiles: 1,
        SecurityGroup: 1,
        SelfSignedCert: 3,
        VirtualMachine: nodes,
    });

    test("with one control plane", () => {
        expect(counts(single)).toEqual(expected(1));
    });

    test("with three", () => {
        expect(counts(triple)).toEqual(expected(3));
    });

    test("nothing, when an argument is wrong", async () => {
        const thrown: unknown = await runProgram({ controlPlaneCount: 2 }).catch((e: unknown) => e);
        expect(thrown).toBeInstanceOf(InvalidArgumentsError);
    });
});

describe("the inputs that matter", () => {
    test("a registration belongs to organisation, project, stack and name", () => {
        expect(single.one("ClusterRegistration", "prod").inputs).toMatchObject({
            key: "acme/shop/dev/prod",
            bootstrap: { operatorUrl: "https://bootstrap.example:8443" },
        });
    });

    test("a VM, with all defaults", () => {
        const { userData, __provider, ...inputs } = machineOf(single, "cp-1").inputs;
        expect(inputs).toEqual({
            name: "exk8s-5-2a-cp-1",
            zoneId: 1,
            projectId: 1,
            subnetId: 5,
            imageId: 1,
            instanceType: "t1a.medium",
            allocatePublicIpv4: true,
            securityGroupIds: [9],
            sshPubkey: "",
            rootVolumeSizeGib: 20,
            bootstrap: {
                operatorUrl: "https://bootstrap.example:8443",
                caPem: "-----BEGIN CERTIFICATE-----",
            },
            clusterId: 42,
            slot: "cp-1",
            nodeUrl: "https://bootstrap.example:8443",
            clusterNetworks: { serviceCidr: "10.96.0.0/12", podCidr: "10.244.0.0/16" },
            replacement: "refuse",
            timeouts: { create: 300, delete: 300 },
        });
        expect(secretIn(userData)).toContain("slot secret of cp-1");
        expect(__provider).toBe(
            'exports.handler = () => require("excloud-k8s/provider/v1").VirtualMachine;',
        );
    });

    test("a slot is named by the cluster's number", () => {
        expect(triple.one("NodeSlot", "prod-cp-2").inputs).toMatchObject({
            clusterId: 42,
            slot: "cp-2",
            role: "control-plane",
            nodeName: "cp-2.cluster-42.internal",
        });
    });

    test("the role's files are for exactly the nodes there are", () => {
        expect(shared(single).inputs).toMatchObject({ role: "control-plane", slots: ["cp-1"] });
        expect(shared(triple).inputs).toMatchObject({ role: "control-plane", slots });
    });

    test("the made group lets in the API, and all from the subnet", async () => {
        const { one } = await runProgram({ apiServerAllowedCidrs: ["10.0.0.0/8", "192.0.2.0/24"] });
        const ingress = { direction: "ingress", protocol: "TCPv4", portRange: "6443" };
        expect(one("SecurityGroup", "prod").inputs).toMatchObject({
            name: "exk8s-5-2a",
            subnetId: 5,
            rules: {
                "api from 10.0.0.0/8": { ...ingress, cidr: "10.0.0.0/8" },
                "api from 192.0.2.0/24": { ...ingress, cidr: "192.0.2.0/24" },
                "all within the subnet": { cidr: "subnet" },
                "all outwards": { direction: "egress", cidr: "0.0.0.0/0" },
            },
        });
    });

    test("the record leads to public addresses, and to private ones where there are no others", async () => {
        const { one } = await runProgram(
            { controlPlaneCount: 3 },
            { addresses: { "cp-2": { privateIpv4: "10.0.0.2", publicIpv4: "203.0.113.2" } } },
        );
        expect(one("DnsRecord", "prod").inputs).toMatchObject({
            zoneName: "k8s.excloud.co.in",
            type: "A",
            name: "exk8s-5-2a",
            values: ["10.0.0.1", "203.0.113.2", "10.0.0.3"],
        });
    });

    test("readiness waits for the generation of every bundle", () => {
        const readiness = triple.one("ClusterReadiness", "prod");
        expect(readiness.inputs).toMatchObject({
            clusterId: 42,
            timeout: 1800,
            generations: Object.fromEntries(slots.map((slot) => [slot, `generation of ${slot}`])),
        });
        for (const slot of slots) {
            expect(readiness.waitsFor).toContain(`NodeBundle prod-${slot}`);
        }
    });

    test("every certificate's request is what the list says, as the tls provider takes it", () => {
        const request = triple.one("CertRequest", "prod-cp-2-etcd-peer");
        expect(request.inputs).toMatchObject({
            subject: { commonName: "cp-2.cluster-42.internal" },
            dnsNames: ["cp-2.cluster-42.internal", "localhost"],
            ipAddresses: ["127.0.0.1", "::1", "10.0.0.2"],
        });
        expect(triple.one("LocallySignedCert", "prod-cp-2-etcd-peer").inputs).toMatchObject({
            caCertPem: "certificate prod-etcd-ca",
            caPrivateKeyPem: { secret: "key prod-etcd-ca" },
            allowedUses: ["digital_signature", "server_auth", "client_auth"],
            validityPeriodHours: 365 * 24,
            earlyRenewalHours: 90 * 24,
        });
        expect(triple.one("CertRequest", "prod-admin").inputs["dnsNames"]).toBeUndefined();
    });
});

describe("options of resources", () => {
    test("what has a unique name is deleted before it is made again", () => {
        const first = triple.resources.filter(({ deleteBeforeReplace }) => deleteBeforeReplace);
        expect([...new Set(first.map(({ type }) => type))].sort()).toEqual([
            "DnsRecord",
            "SecurityGroup",
            "VirtualMachine",
        ]);
    });

    test("only what is nothing without its VM goes without a deletion of its own", () => {
        const spared = triple.resources.filter(({ deletedWith }) => deletedWith !== "");
        expect(spared.map(({ type, name, deletedWith }) => [type, name, deletedWith])).toEqual(
            ["NodeAddress", "NodeBundle"].flatMap((type) =>
                slots.map((slot) => [type, `prod-${slot}`, `VirtualMachine prod-${slot}`]),
            ),
        );
    });

    test("outputs that are secrets are declared", () => {
        expect(triple.one("NodeSlot", "prod-cp-1").secretOutputs).toEqual(["slotSecret"]);
        expect(machineOf(triple, "cp-1").secretOutputs).toEqual(["userData"]);
    });
});

describe("no edges between nodes", () => {
    test("nothing of a node waits for anything of another", () => {
        for (const slot of slots) {
            const own = triple.resources.filter(({ name }) => name.startsWith(`prod-${slot}`));
            expect(own.length).toBeGreaterThan(15);
            const others = slots.filter((other) => other !== slot);
            for (const { type, name, waitsFor } of own) {
                const foreign = waitsFor.filter((urn) =>
                    others.some((other) => urn.includes(`prod-${other}`)),
                );
                expect([type, name, foreign]).toEqual([type, name, []]);
            }
        }
    });

    test("a node is the same whatever its peers are", async () => {
        const elsewhere = await runProgram(
            { controlPlaneCount: 3 },
            { addresses: { "cp-2": { privateIpv4: "10.9.9.9", publicIpv4: "203.0.113.9" } } },
        );
        for (const other of [single, elsewhere]) {
            expect(bundleOf(other, "cp-1").inputs).toEqual(bundleOf(triple, "cp-1").inputs);
            expect(machineOf(other, "cp-1").inputs).toEqual(machineOf(triple, "cp-1").inputs);
        }
        expect(shared(elsewhere).inputs).toEqual(shared(triple).inputs);
        const { slots: _, ...ofOne } = shared(single).inputs;
        const { slots: __, ...ofThree } = shared(triple).inputs;
        expect(ofOne).toEqual(ofThree);
    });

    test("another own address changes these files and no others", async () => {
        const moved = await runProgram(
            { controlPlaneCount: 3 },
            { addresses: { "cp-1": { privateIpv4: "10.7.7.7" } } },
        );
        const changedIn = (name: string) => {
            const before = map(bundleOf(triple, "cp-1"), name);
            const after = map(bundleOf(moved, "cp-1"), name);
            expect(Object.keys(after)).toEqual(Object.keys(before));
            return Object.keys(before)
                .filter((path) => JSON.stringify(before[path]) !== JSON.stringify(after[path]))
                .sort();
        };
        expect(changedIn("files")).toEqual(ownFiles);
        expect(changedIn("manifest")).toEqual(ownFiles);
        expect(changedIn("secretFiles")).toEqual([]);
        expect(changedIn("roleManifest")).toEqual([]);
        expect(bundleOf(moved, "cp-1").inputs).toMatchObject({ address: "10.7.7.7", vmId: "701" });
    });
});

describe("files", () => {
    const everywhere = () => triple.resources.filter(({ inputs }) => "manifest" in inputs);

    test("the node's own are these", () => {
        const { inputs } = bundleOf(triple, "cp-2");
        expect(Object.keys(inputs["files"] as object).sort()).toEqual(ownFiles);
        expect(Object.keys(inputs["secretFiles"] as object).sort()).toEqual(ownSecretFiles);
    });

    test("a manifest covers every file with its digest, and the bundle's the role's too", () => {
        expect(everywhere()).toHaveLength(4);
        for (const resource of everywhere()) {
            const texts = { ...map(resource, "files"), ...map(resource, "secretFiles") };
            const whole = { ...map(resource, "roleManifest"), ...map(resource, "manifest") };
            for (const [path, file] of Object.entries(texts)) {
                const [, header, content] =
                    /^(.*?)\n(.*)$/s.exec(secretIn(file) ?? String(file)) ?? [];
                expect([path, whole[path]]).toEqual([path, `${sha256(content ?? "")} ${header}`]);
            }
            const expected = new Set([
                ...Object.keys(texts),
                ...Object.keys(map(shared(triple), "manifest")),
            ]);
            expect(Object.keys(whole).sort()).toEqual([...expected].sort());
        }
    });

    test("every file that holds a key is secret, and no other is", () => {
        for (const resource of everywhere()) {
            for (const [path, file] of Object.entries(map(resource, "secretFiles"))) {
                expect([path, secretIn(file)]).toEqual([path, expect.stringMatching(/^0600 /)]);
            }
            for (const name of ["files", "manifest", "roleManifest", "secretDigests"]) {
                const hidden = Object.values(map(resource, name)).filter(secretIn);
                expect([name, hidden]).toEqual([name, []]);
            }
            expect(Object.keys(map(resource, "secretDigests")).sort()).toEqual(
                Object.keys(map(resource, "secretFiles")).sort(),
            );
        }
        expect(Object.keys(map(shared(triple), "secretFiles")).sort()).toEqual(sharedSecretFiles);
    });

    test("no authority's key is on a node", () => {
        const text = JSON.stringify(everywhere().map(({ inputs }) => inputs));
        for (const authority of ["cluster-ca", "etcd-ca", "front-proxy-ca"]) {
            expect(text).not.toContain(`key prod-${authority}`);
            expect(text).not.toContain(
                Buffer.from(`key prod-${authority}`).toString("base64").slice(0, 20),
            );
        }
    });

    test("the user's administrator is on no node", () => {
        const text = JSON.stringify(everywhere().map(({ inputs }) => inputs));
        expect(text).not.toContain("prod-cluster-admin");
        const base64 = Buffer.from("certificate prod-cluster-admin").toString("base64");
        expect(text).not.toContain(base64.slice(0, 36));
    });

    test("two of one path are refused", () => {
        const twice = [textFile("/etc/a", "1"), textFile("/etc/b", "2"), textFile("/etc/a", "3")];
        expect(() => manifestOf(twice)).toThrow("two files have the path /etc/a");
    });

    test("the digest of a secret file is public, its text is not", async () => {
        const inputs = fileInputs([textFile("/k", pulumi.secret("key"), { secret: true })]);
        expect(await pulumi.isSecret(inputs.secretFiles["/k"]!)).toBe(true);
        expect(await pulumi.isSecret(inputs.secretDigests["/k"]!)).toBe(false);
        expect(await valueOf(inputs.secretDigests["/k"]!)).toBe(sha256("key"));
        expect(await valueOf(inputs.secretFiles["/k"]!)).toBe("0600 root:root\nkey");
    });
});

describe("arguments", () => {
    const ownCertificate = "-----BEGIN CERTIFICATE----- own";
    const ownKey = "-----BEGIN EC PRIVATE KEY----- own";

    test("with own security groups none is made", async () => {
        const program = await runProgram({ securityGroupIds: [3, pulumi.output(4)] });
        expect(program.of("SecurityGroup")).toEqual([]);
        expect(machineOf(program, "cp-1").inputs["securityGroupIds"]).toEqual([3, 4]);
    });

    test("with an own authority none is made in its place, and it signs what the made one would", async () => {
        const etcd = { certPem: ownCertificate, keyPem: ownKey };
        const program = await runProgram({ certificates: { authorities: { etcd } } });
        expect(program.of("SelfSignedCert").map(({ name }) => name)).toEqual([
            "prod-cluster-ca",
            "prod-front-proxy-ca",
        ]);
        expect(program.of("PrivateKey").map(({ name }) => name)).not.toContain("prod-etcd-ca");
        const signed = program
            .of("LocallySignedCert")
            .filter(({ inputs }) => inputs["caCertPem"] === ownCertificate);
        expect(signed.map(({ name }) => name).sort()).toEqual([
            "prod-apiserver-etcd-client",
            "prod-cp-1-etcd-peer",
        ]);
        for (const { inputs } of signed) {
            expect(inputs["caPrivateKeyPem"]).toEqual({ secret: ownKey });
        }
        expect(map(shared(program), "files")["/etc/exk8s/pki/etcd-ca.pem"]).toBe(
            `0644 root:root\n${ownCertificate}`,
        );
    });

    test("with all authorities given, none is made", async () => {
        const own = { certPem: ownCertificate, keyPem: ownKey };
        const program = await runProgram({
            certificates: { authorities: { cluster: own, etcd: own, frontProxy: own } },
        });
        expect(program.of("SelfSignedCert")).toEqual([]);
    });

    test("a listed node may be replaced, the others keep what they are meanwhile", async () => {
        const program = await runProgram({ controlPlaneCount: 3, replaceNodes: ["cp-2"] });
        const choices = (p: Program) => slots.map((s) => machineOf(p, s).inputs["replacement"]);
        expect(choices(program)).toEqual(["defer", "allow", "defer"]);
        expect(choices(triple)).toEqual(["refuse", "refuse", "refuse"]);
    });

    test("the DNS zone names the API: in the record, the certificate and the kubeconfig", async () => {
        const { one, cluster } = await runProgram({ dnsZone: "example.org" });
        expect(one("DnsRecord", "prod").inputs).toMatchObject({ zoneName: "example.org" });
        expect(one("CertRequest", "prod-cp-1-apiserver").inputs["dnsNames"]).toContain(
            "exk8s-5-2a.example.org",
        );
        expect(await valueOf(cluster.kubeconfig)).toContain(
            'server: "https://exk8s-5-2a.example.org:6443"',
        );
        expect(await valueOf(cluster.controlPlaneDnsName)).toBe("exk8s-5-2a.example.org");
    });

    test("without a zone of ours the kubeconfig leads to the first address", async () => {
        const { cluster } = await runProgram(
            { controlPlaneCount: 3 },
            {
                isZoneOurs: false,
                addresses: { "cp-1": { privateIpv4: "10.0.0.1", publicIpv4: "203.0.113.1" } },
            },
        );
        expect(await valueOf(cluster.kubeconfig)).toContain('server: "https://203.0.113.1:6443"');
        expect(await valueOf(cluster.internalKubeconfig)).toContain(
            'server: "https://10.0.0.1:6443"',
        );
        expect(await valueOf(cluster.dnsConfigured)).toBe(false);
    });

    test("keys are ECDSA P-256 by default, RSA when chosen; that of service accounts is always RSA", async () => {
        const shapes = (program: Program) =>
            new Set(
                program.of("PrivateKey").map(({ name, inputs }) => {
                    const { algorithm, ecdsaCurve = "-", rsaBits = "-" } = inputs;
                    const isServiceAccount = name === "prod-service-account";
                    return [isServiceAccount, algorithm, ecdsaCurve, rsaBits].join(" ");
                }),
            );
        expect(shapes(single)).toEqual(new Set(["false ECDSA P256 -", "true RSA - 2048"]));
        const rsa = await runProgram({ certificates: { keyAlgorithm: KeyAlgorithm.Rsa } });
        expect(shapes(rsa)).toEqual(new Set(["false RSA - 2048", "true RSA - 2048"]));
        for (const { name, inputs } of rsa.of("LocallySignedCert")) {
            expect([name, inputs["allowedUses"]]).toEqual([
                name,
                expect.arrayContaining(["key_encipherment"]),
            ]);
        }
    });

    test("a short life of certificates is renewed within it", async () => {
        const { one } = await runProgram({ certificates: { validityDays: 30 } });
        expect(one("LocallySignedCert", "prod-admin").inputs).toMatchObject({
            validityPeriodHours: 30 * 24,
            earlyRenewalHours: 29 * 24,
        });
    });

    test("the pod network decides which files there are", async () => {
        const bridge = await runProgram({ podNetwork: PodNetwork.Bridge });
        const paths = (program: Program) => Object.keys(map(shared(program), "files"));
        expect(paths(bridge)).toContain("/etc/cni/net.d/10-exk8s.conflist");
        expect(paths(single)).not.toContain("/etc/cni/net.d/10-exk8s.conflist");
        expect(paths(single)).toContain("/etc/exk8s/config/cilium-values.yaml");
    });

    test("nodes may reach the bootstrap server at a URL of their own", async () => {
        const bootstrap = { operatorUrl: "https://out.example", nodeUrl: "https://in.example" };
        const program = await runProgram({ bootstrap });
        const { inputs } = machineOf(program, "cp-1");
        expect(inputs).toMatchObject({
            nodeUrl: "https://in.example",
            bootstrap: { operatorUrl: "https://out.example" },
        });
        expect(secretIn(inputs["userData"])).toContain("https://in.example");
        expect(secretIn(inputs["userData"])).not.toContain("https://out.example");
    });
});

describe("outputs", () => {
    test("mirror the cluster", async () => {
        const { cluster } = triple;
        expect(await valueOf(cluster.clusterId)).toBe(42);
        expect(await valueOf(cluster.name)).toBe("exk8s-5-2a");
        expect(await valueOf(cluster.controlPlaneVmIds)).toEqual([701, 702, 703]);
        expect(await valueOf(cluster.controlPlaneAddresses)).toEqual([
            "10.0.0.1",
            "10.0.0.2",
            "10.0.0.3",
        ]);
        expect(await valueOf(cluster.serviceCidr)).toBe("10.96.0.0/12");
        expect(await valueOf(cluster.podCidr)).toBe("10.244.0.0/16");
    });

    test("kubeconfigs are secrets", async () => {
        expect(await pulumi.isSecret(triple.cluster.kubeconfig)).toBe(true);
        expect(await pulumi.isSecret(triple.cluster.internalKubeconfig)).toBe(true);
    });

    test("every certificate's end is told", async () => {
        const expiry = await valueOf(triple.cluster.certificateExpiry);
        expect(Object.keys(expiry)).toHaveLength(8 + 3 * 4);
        expect(expiry["cp-2/apiserver"]).toBe("2027 prod-cp-2-apiserver");
        expect(expiry["cluster-admin"]).toBe("2027 prod-cluster-admin");
    });
});
