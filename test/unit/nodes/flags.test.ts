import { describe, expect, test } from "@jest/globals";
import { parse, parseAllDocuments } from "yaml";

import { commandLineOf, type ProgramName, removedFlagsOf, supportedMinors } from "../../../nodes";
import { fileOf, scenarios, valuesOf } from "./fixtures";

/*
 * What kubeadm v1.35 writes, with `*` where a path or name is ours. The tables are written by hand:
 * these tests run no kubeadm and read none of its output.
 */
const kubeadm: Partial<Record<ProgramName, Record<string, string>>> = {
    "kube-apiserver": {
        "advertise-address": "10.0.1.5",
        "allow-privileged": "true",
        "authorization-mode": "Node,RBAC",
        "client-ca-file": "*",
        "enable-admission-plugins": "NodeRestriction",
        "enable-bootstrap-token-auth": "true",
        "etcd-cafile": "*",
        "etcd-certfile": "*",
        "etcd-keyfile": "*",
        "etcd-servers": "https://127.0.0.1:2379",
        "kubelet-client-certificate": "*",
        "kubelet-client-key": "*",
        "kubelet-preferred-address-types": "InternalIP,ExternalIP,Hostname",
        "proxy-client-cert-file": "*",
        "proxy-client-key-file": "*",
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-client-ca-file": "*",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "secure-port": "6443",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": "*",
        "service-account-signing-key-file": "*",
        "service-cluster-ip-range": "10.96.0.0/12",
        "tls-cert-file": "*",
        "tls-private-key-file": "*",
    },
    "kube-controller-manager": {
        "allocate-node-cidrs": "true",
        "authentication-kubeconfig": "*",
        "authorization-kubeconfig": "*",
        "bind-address": "127.0.0.1",
        "client-ca-file": "*",
        "cluster-cidr": "10.244.0.0/16",
        "cluster-name": "*",
        "cluster-signing-cert-file": "*",
        "cluster-signing-key-file": "*",
        controllers: "*,bootstrapsigner,tokencleaner",
        kubeconfig: "*",
        "leader-elect": "true",
        "requestheader-client-ca-file": "*",
        "root-ca-file": "*",
        "service-account-private-key-file": "*",
        "service-cluster-ip-range": "10.96.0.0/12",
        "use-service-account-credentials": "true",
    },
    "kube-scheduler": {
        "authentication-kubeconfig": "*",
        "authorization-kubeconfig": "*",
        "bind-address": "127.0.0.1",
        kubeconfig: "*",
        "leader-elect": "true",
    },
    etcd: {
        "advertise-client-urls": "*",
        "cert-file": "*",
        "client-cert-auth": "true",
        "data-dir": "*",
        "feature-gates": "InitialCorruptCheck=true",
        "initial-advertise-peer-urls": "*",
        "initial-cluster": "*",
        "key-file": "*",
        "listen-client-urls": "*",
        "listen-metrics-urls": "http://127.0.0.1:2381",
        "listen-peer-urls": "*",
        name: "*",
        "peer-cert-file": "*",
        "peer-client-cert-auth": "true",
        "peer-key-file": "*",
        "peer-trusted-ca-file": "*",
        "snapshot-count": "10000",
        "trusted-ca-file": "*",
        "watch-progress-notify-interval": "5s",
    },
};

/** Every difference we mean, with its reason in docs/deviations.md or beside the flag. */
const ours: Record<string, { added: string[]; dropped: string[] }> = {
    "kube-apiserver": {
        added: ["kubelet-certificate-authority", "profiling", "shutdown-send-retry-after"],
        dropped: [],
    },
    "kube-controller-manager": {
        added: ["kube-api-burst", "kube-api-qps", "profiling"],
        // Cilium has its own pool; the CA key is never on a node.
        dropped: [
            "allocate-node-cidrs",
            "cluster-cidr",
            "cluster-signing-cert-file",
            "cluster-signing-key-file",
        ],
    },
    "kube-scheduler": { added: ["profiling"], dropped: [] },
    // The members come from the join script, by ETCD_INITIAL_CLUSTER.
    etcd: { added: ["initial-cluster-token"], dropped: ["initial-cluster"] },
};

const asMap = (list: string[]) =>
    Object.fromEntries(
        list.map((flag) => {
            const [, name, value] = /^--([a-z0-9-]+)=(.*)$/.exec(flag) ?? [];
            return [name!, value!];
        }),
    );

describe.each(Object.keys(kubeadm) as ProgramName[])("%s", (program) => {
    const seen = asMap(commandLineOf(program, valuesOf()));

    test("has kubeadm's flags but for the differences we mean", () => {
        const { added, dropped } = ours[program]!;
        const expected = [
            ...Object.keys(kubeadm[program]!).filter((name) => !dropped.includes(name)),
            ...added,
        ];
        expect(Object.keys(seen)).toEqual(expected.sort());
    });

    test("has kubeadm's values", () => {
        for (const [name, value] of Object.entries(kubeadm[program]!)) {
            if (value !== "*" && seen[name] !== undefined) {
                expect({ [name]: seen[name] }).toEqual({ [name]: value });
            }
        }
    });

    test("has no flag that a supported minor removed", () => {
        for (const minor of supportedMinors) {
            const removed = removedFlagsOf(program, minor);
            expect(removed.length).toBeGreaterThan(0);
            expect(Object.keys(seen).filter((name) => removed.includes(name))).toEqual([]);
        }
    });
});

test("the kubelet has no flag that a supported minor removed", () => {
    const unit = fileOf(scenarios["extra-args"]!(), "/etc/systemd/system/kubelet.service");
    const seen = [...unit.matchAll(/--([a-z-]+)=/g)].map((match) => match[1]!);
    expect(seen).toContain("config-dir");
    for (const minor of supportedMinors) {
        const removed = removedFlagsOf("kubelet", minor);
        expect(seen.filter((name) => removed.includes(name))).toEqual([]);
    }
});

test("trust: each program checks each other by the right CA", () => {
    const api = asMap(commandLineOf("kube-apiserver", valuesOf()));
    expect(api).toMatchObject({
        "client-ca-file": "/etc/exk8s/pki/ca.pem",
        "etcd-cafile": "/etc/exk8s/pki/etcd-ca.pem",
        "kubelet-certificate-authority": "/etc/exk8s/pki/ca.pem",
        "requestheader-client-ca-file": "/etc/exk8s/pki/front-proxy-ca.pem",
        "proxy-client-cert-file": "/etc/exk8s/pki/front-proxy-client.pem",
    });
    const etcd = asMap(commandLineOf("etcd", valuesOf()));
    expect([etcd["trusted-ca-file"], etcd["peer-trusted-ca-file"]]).toEqual([
        "/etc/exk8s/pki/etcd-ca.pem",
        "/etc/exk8s/pki/etcd-ca.pem",
    ]);
});

interface Pod {
    spec: {
        priority: number;
        priorityClassName: string;
        hostNetwork: boolean;
        securityContext: unknown;
        containers: {
            command: string[];
            startupProbe: unknown;
            livenessProbe: unknown;
            readinessProbe: unknown;
            volumeMounts: { mountPath: string; readOnly: boolean; name: string }[];
        }[];
        volumes: { name: string; hostPath: { path: string; type: string } }[];
    };
}

describe.each([
    ["kube-apiserver", 6443, "/livez", "/readyz"],
    // It answers no other path.
    ["kube-controller-manager", 10257, "/healthz", undefined],
    ["kube-scheduler", 10259, "/livez", "/readyz"],
])("the static pod %s", (name, port, alive, ready) => {
    const pod = parse(fileOf(valuesOf(), `/etc/kubernetes/manifests/${name}.yaml`)) as Pod;
    const container = pod.spec.containers[0]!;

    test("is as critical and as confined as kubeadm's", () => {
        expect(pod.spec).toMatchObject({
            hostNetwork: true,
            priority: 2000001000,
            priorityClassName: "system-node-critical",
            securityContext: { seccompProfile: { type: "RuntimeDefault" } },
        });
    });

    test("has kubeadm's probes", () => {
        const httpGet = (path: string) => ({
            httpGet: { host: "127.0.0.1", path, port: "probe-port", scheme: "HTTPS" },
        });
        const slow = { initialDelaySeconds: 10, periodSeconds: 10, timeoutSeconds: 15 };
        const readiness = (path: string) => ({
            ...httpGet(path),
            periodSeconds: 1,
            timeoutSeconds: 15,
            failureThreshold: 3,
        });
        expect(container).toMatchObject({
            ports: [{ name: "probe-port", containerPort: port }],
            startupProbe: { ...httpGet(alive), ...slow, failureThreshold: 24 },
            livenessProbe: { ...httpGet(alive), ...slow, failureThreshold: 8 },
        });
        expect(container.readinessProbe).toEqual(ready && readiness(ready));
    });

    test("sees the single files its flags name, read-only, and no folder of secrets", () => {
        const named = new Set(
            container.command
                .map((flag) => flag.slice(flag.indexOf("=") + 1))
                .filter((value) => value.startsWith("/etc/exk8s/")),
        );
        const ownMounts = container.volumeMounts.filter((mount) =>
            mount.mountPath.startsWith("/etc/exk8s"),
        );
        expect(new Set(ownMounts.map((mount) => mount.mountPath))).toEqual(named);
        for (const mount of container.volumeMounts) {
            expect(mount.readOnly).toBe(true);
            const volume = pod.spec.volumes.find((one) => one.name === mount.name);
            expect(volume?.hostPath.path).toBe(mount.mountPath);
            expect(volume?.hostPath.type).toBe(
                named.has(mount.mountPath) ? "File" : "DirectoryOrCreate",
            );
        }
        expect(new Set(pod.spec.volumes.map((volume) => volume.name)).size).toBe(
            pod.spec.volumes.length,
        );
    });
});

describe("what a user adds", () => {
    const values = scenarios["extra-args"]!();

    test("wins over ours, and a list repeats a flag", () => {
        const pod = parse(fileOf(values, "/etc/kubernetes/manifests/kube-apiserver.yaml")) as Pod;
        expect(
            pod.spec.containers[0]!.command.filter((flag) =>
                flag.includes("service-account-issuer"),
            ),
        ).toEqual([
            "--service-account-issuer=https://a.test",
            "--service-account-issuer=https://b.test",
        ]);
    });

    test("is merged into the kubelet's configuration", () => {
        expect(parse(fileOf(values, "/var/lib/kubelet/config.yaml"))).toMatchObject({
            maxPods: 50,
            authentication: {
                webhook: { enabled: true, cacheTTL: "1m" },
                anonymous: { enabled: false },
            },
        });
    });

    test("is merged into kube-proxy's configuration, whose change rolls the pods", () => {
        const documents = (one: ReturnType<typeof valuesOf>) =>
            parseAllDocuments(fileOf(one, "/etc/exk8s/manifests/kube-proxy.yaml")).map(
                (document) =>
                    document.toJS() as {
                        data?: Record<string, string>;
                        spec?: { template: { metadata: { annotations: object } } };
                    },
            );
        const [, map, set] = documents(values);
        expect(parse(map!.data!["config.yaml"]!)).toEqual({
            apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
            kind: "KubeProxyConfiguration",
            bindAddress: "0.0.0.0",
            clientConnection: { kubeconfig: "/etc/exk8s/kubeconfig/kube-proxy.kubeconfig" },
            clusterCIDR: "10.244.0.0/16",
            conntrack: { maxPerCore: 0 },
            mode: "nftables",
        });
        const plain = documents(valuesOf())[2];
        expect(set!.spec!.template.metadata.annotations).not.toEqual(
            plain!.spec!.template.metadata.annotations,
        );
    });

    test("is merged into Cilium's values", () => {
        expect(parse(fileOf(values, "/etc/exk8s/config/cilium-values.yaml"))).toMatchObject({
            hubble: { enabled: false },
            k8sServiceHost: "127.0.0.1",
            k8sServicePort: 7443,
        });
    });
});

test("pod networks: the taint, the conflist and node CIDRs go with the network", () => {
    const kubelet = (cni: "cilium" | "bridge" | "none") =>
        parse(fileOf(valuesOf({ cni }), "/var/lib/kubelet/config.yaml")) as object;
    expect(kubelet("cilium")).toMatchObject({
        registerWithTaints: [{ key: "node.cilium.io/agent-not-ready", effect: "NoExecute" }],
    });
    for (const cni of ["bridge", "none"] as const) {
        expect(kubelet(cni)).not.toHaveProperty("registerWithTaints");
        expect(asMap(commandLineOf("kube-controller-manager", valuesOf({ cni })))).toMatchObject({
            "allocate-node-cidrs": "true",
            "cluster-cidr": "10.244.0.0/16",
        });
    }
    const conflist = "/etc/cni/net.d/10-exk8s.conflist";
    expect(() => fileOf(valuesOf(), conflist)).toThrow();
    expect(() => fileOf(valuesOf({ cni: "none" }), conflist)).toThrow();
    expect(JSON.parse(fileOf(valuesOf({ cni: "bridge" }), conflist))).not.toHaveProperty(
        "plugins.0.ipam.routes",
    );
});
