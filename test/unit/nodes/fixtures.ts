import {
    clusterSettings,
    type ClusterSettingsArgs,
    type NodeFile,
    nodeFiles,
    nodeFilesFor,
    type Values,
} from "../../../nodes";

/** A text that looks like a PEM and is no key. */
export const pem = (name: string) =>
    `-----BEGIN TEST-----\n${Buffer.from(name).toString("base64")}\n-----END TEST-----\n`;

/** The values of one control plane; every PEM a file may ask for is there. */
export function valuesOf(args: ClusterSettingsArgs = {}, node: Partial<Values> = {}): Values {
    const plain = {
        settings: clusterSettings(args),
        clusterId: 42,
        clusterName: "exk8s-5-2a",
        dnsName: "exk8s-5-2a.k8s.excloud.co.in",
        nodeName: "cp-1.cluster-42.internal",
        role: "control-plane" as const,
        privateIpv4: "10.0.1.5",
        privateIpv6: "",
        publicIpv4: "",
        ...node,
    };
    const needs = [...new Set(nodeFiles.flatMap((spec) => spec.needs))];
    const pems = needs.filter((need) => /^(cert|key):/.test(need));
    return { ...plain, ...Object.fromEntries(pems.map((need) => [need, pem(need)])) } as Values;
}

/** All files of one node, path to text. */
export function filesOf(values: Values): Record<string, string> {
    const specs: NodeFile[] = [
        ...nodeFilesFor(values.settings, values.role, "role"),
        ...nodeFilesFor(values.settings, values.role, "node"),
    ];
    return Object.fromEntries(specs.map((spec) => [spec.path, spec.render(values)]));
}

/** One file of a node. */
export function fileOf(values: Values, path: string): string {
    const text = filesOf(values)[path];
    if (text === undefined) {
        throw new Error(`no file ${path}`);
    }
    return text;
}

/** The scenarios whose every file is compared with a golden. */
export const scenarios: Record<string, () => Values> = {
    single: () => valuesOf(),
    "three-cp-2": () =>
        valuesOf({}, { nodeName: "cp-2.cluster-42.internal", privateIpv4: "10.0.1.6" }),
    "cni-none": () => valuesOf({ cni: "none" }),
    "cni-bridge": () => valuesOf({ cni: "bridge" }),
    "public-ipv4": () => valuesOf({}, { publicIpv4: "203.0.113.7", privateIpv6: "fd00::5" }),
    "extra-args": () =>
        valuesOf({
            apiServerExtraArgs: { "service-account-issuer": ["https://a.test", "https://b.test"] },
            controllerManagerExtraArgs: { "node-monitor-grace-period": "20s" },
            schedulerExtraArgs: { v: "4" },
            etcdExtraArgs: { "quota-backend-bytes": "4294967296" },
            kubeletExtraArgs: { v: "4" },
            kubeletConfiguration: { maxPods: 50, authentication: { webhook: { cacheTTL: "1m" } } },
            kubeProxyConfiguration: { mode: "nftables", conntrack: { maxPerCore: 0 } },
            ciliumValues: { hubble: { enabled: false } },
        }),
    mirrors: () =>
        valuesOf({
            mirrors: {
                binaries: "https://mirror.test/bin",
                images: "http://mirror.test:5000",
                charts: "/opt/charts",
                packages: "http://mirror.test/debian",
            },
            bootstrapServer: { url: "https://boot.test:8443", caPem: pem("boot") },
        }),
};
