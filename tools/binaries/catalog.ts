import { defaultVersions, type Versions } from "#nodes/versions";

/** Programs that are built together from one pinned Go module. */
export interface GoTool {
    /** Also the folder beside this file whose `go.mod` pins the module and all it needs. */
    readonly name: string;
    /** As upstream writes its tag. */
    readonly version: string;
    /** The version above is this key's in the product's `defaultVersions`; undefined for our own tools. */
    readonly product?: keyof Versions;
    /** Modules that `go.mod` requires at that version. */
    readonly modules: readonly string[];
    /** File name of each program, and the package it is built from. */
    readonly programs: Readonly<Record<string, string>>;
    readonly cgo?: boolean;
    readonly tags?: readonly string[];
    /** Beside `-s -w`. */
    readonly ldflags?: readonly string[];
}

/** A program of one C file that lies in the module of a Go tool. */
export interface CTool {
    readonly name: string;
    readonly version: string;
    readonly product: keyof Versions;
    /** Tool and module that hold the source. */
    readonly from: { readonly tool: string; readonly module: string };
    readonly source: string;
    /** For gcc. */
    readonly flags: readonly string[];
}

const v = defaultVersions;

/** A version as Go modules write it when upstream's tag has more than numbers before it. */
const number = (version: string): string => version.replace(/^v/, "");

/** Sets a string variable of a Go package at link time. */
const set = (variable: string, value: string): string => `-X ${variable}=${value}`;

const kubernetesCommand = (name: string): string => `k8s.io/kubernetes/cmd/${name}`;
const cniPlugin = (name: string): string =>
    `github.com/containernetworking/plugins/plugins/${name}`;
const cilium = (folder: string): string => `github.com/cilium/cilium/${folder}`;

const kubernetesFlags = (version: string): string[] => [
    set("k8s.io/component-base/version.gitVersion", version),
    set("k8s.io/component-base/version.gitMajor", number(version).split(".")[0]!),
    set("k8s.io/component-base/version.gitMinor", number(version).split(".")[1]!),
    set("k8s.io/client-go/pkg/version.gitVersion", version),
];

/** A release of the minor before, from which a cluster is upgraded in a test. */
export const formerKubernetes = "v1.34.4";

/** What a program of {@link formerKubernetes} is called here. */
export const former = (program: string): string => `former-${program}`;

/** Everything built from Go source. Adding a program is adding one entry, and its module's folder. */
export const goTools = [
    {
        name: "kubernetes",
        version: v.kubernetes,
        product: "kubernetes",
        modules: ["k8s.io/kubernetes"],
        programs: {
            "kube-apiserver": kubernetesCommand("kube-apiserver"),
            "kube-controller-manager": kubernetesCommand("kube-controller-manager"),
            "kube-scheduler": kubernetesCommand("kube-scheduler"),
            "kube-proxy": kubernetesCommand("kube-proxy"),
            kubelet: kubernetesCommand("kubelet"),
            kubeadm: kubernetesCommand("kubeadm"),
            kubectl: kubernetesCommand("kubectl"),
            agnhost: "k8s.io/kubernetes/test/images/agnhost",
        },
        ldflags: kubernetesFlags(v.kubernetes),
    },
    {
        name: "kubernetes-former",
        version: formerKubernetes,
        modules: ["k8s.io/kubernetes"],
        programs: {
            [former("kube-apiserver")]: kubernetesCommand("kube-apiserver"),
            [former("kube-controller-manager")]: kubernetesCommand("kube-controller-manager"),
            [former("kube-scheduler")]: kubernetesCommand("kube-scheduler"),
            [former("kube-proxy")]: kubernetesCommand("kube-proxy"),
            [former("kubelet")]: kubernetesCommand("kubelet"),
            [former("kubectl")]: kubernetesCommand("kubectl"),
        },
        ldflags: kubernetesFlags(formerKubernetes),
    },
    {
        name: "etcd",
        version: v.etcd,
        product: "etcd",
        modules: ["go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/etcdctl/v3"],
        programs: {
            etcd: "go.etcd.io/etcd/server/v3",
            etcdctl: "go.etcd.io/etcd/etcdctl/v3",
        },
    },
    {
        name: "containerd",
        version: v.containerd,
        product: "containerd",
        modules: ["github.com/containerd/containerd/v2"],
        programs: {
            containerd: "github.com/containerd/containerd/v2/cmd/containerd",
            "containerd-shim-runc-v2":
                "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
            ctr: "github.com/containerd/containerd/v2/cmd/ctr",
        },
        tags: ["no_btrfs", "no_devmapper", "no_zfs"],
        ldflags: [set("github.com/containerd/containerd/v2/version.Version", v.containerd)],
    },
    {
        name: "runc",
        version: v.runc,
        product: "runc",
        modules: ["github.com/opencontainers/runc"],
        programs: { runc: "github.com/opencontainers/runc" },
        cgo: true,
        // Without seccomp every pod with the profile RuntimeDefault fails.
        tags: ["netgo", "osusergo", "seccomp"],
        ldflags: ["-extldflags=-static"],
    },
    {
        name: "cni",
        version: v.cniPlugins,
        product: "cniPlugins",
        modules: ["github.com/containernetworking/plugins"],
        programs: {
            bridge: cniPlugin("main/bridge"),
            loopback: cniPlugin("main/loopback"),
            ptp: cniPlugin("main/ptp"),
            "host-local": cniPlugin("ipam/host-local"),
            portmap: cniPlugin("meta/portmap"),
            firewall: cniPlugin("meta/firewall"),
        },
        ldflags: [
            set(
                "github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion",
                v.cniPlugins,
            ),
        ],
    },
    {
        name: "coredns",
        version: v.coredns,
        product: "coredns",
        modules: ["github.com/coredns/coredns"],
        programs: { coredns: "github.com/coredns/coredns" },
    },
    {
        name: "helm",
        version: v.helm,
        product: "helm",
        modules: ["helm.sh/helm/v3"],
        programs: { helm: "helm.sh/helm/v3/cmd/helm" },
        ldflags: [
            set("helm.sh/helm/v3/internal/version.version", v.helm),
            // The Kubernetes release that Helm assumes without a cluster: that of its `k8s.io` modules.
            ...["pkg/chartutil", "pkg/lint/rules"].flatMap((place) => [
                set(`helm.sh/helm/v3/${place}.k8sVersionMajor`, "1"),
                set(`helm.sh/helm/v3/${place}.k8sVersionMinor`, "34"),
            ]),
        ],
    },
    {
        name: "cilium",
        version: v.cilium,
        product: "cilium",
        modules: ["github.com/cilium/cilium"],
        programs: {
            "cilium-agent": cilium("daemon"),
            "cilium-operator-generic": cilium("operator"),
            "cilium-cni": cilium("plugins/cilium-cni"),
            "cilium-dbg": cilium("cilium-dbg"),
            "cilium-health": cilium("cilium-health"),
            "cilium-health-responder": cilium("cilium-health/responder"),
            "cilium-mount": cilium("tools/mount"),
            "cilium-sysctlfix": cilium("tools/sysctlfix"),
        },
        // Which IP address managers the operator knows; upstream builds one operator for each.
        tags: ["ipam_provider_operator"],
        ldflags: [set("github.com/cilium/cilium/pkg/version.ciliumVersion", number(v.cilium))],
    },
    {
        // The aggregated API that most clusters have. Its release for the Kubernetes modules above.
        name: "metrics-server",
        version: "v0.8.0",
        modules: ["sigs.k8s.io/metrics-server"],
        programs: { "metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server" },
        ldflags: [set("k8s.io/client-go/pkg/version.gitVersion", "v0.8.0")],
    },
    {
        name: "registry",
        version: "v3.1.2",
        modules: ["github.com/distribution/distribution/v3"],
        programs: { registry: "github.com/distribution/distribution/v3/cmd/registry" },
    },
    {
        name: "crane",
        version: "v0.22.1",
        modules: ["github.com/google/go-containerregistry"],
        programs: { crane: "github.com/google/go-containerregistry/cmd/crane" },
    },
] as const satisfies readonly GoTool[];

/** The container that holds a pod's namespaces. */
export const pause = {
    name: "pause",
    version: v.pause,
    product: "pause",
    from: { tool: "kubernetes", module: "k8s.io/kubernetes" },
    source: "build/pause/linux/pause.c",
    flags: ["-Os", "-Wall", "-Werror", "-static", `-DVERSION=v${v.pause}`],
} as const satisfies CTool;

/** Name of something this catalog can build. */
export type ToolName = (typeof goTools)[number]["name"] | typeof pause.name;

/** The Go tool of a name. @throws when there is none */
export function goTool(name: string): GoTool {
    const found = goTools.find((tool) => tool.name === name);
    if (found === undefined) {
        throw new Error(`no Go tool is named ${name}; there are ${names(goTools)}`);
    }
    return found;
}

/** The tool that a program belongs to. @throws when none has it */
export function toolOf(program: string): ToolName {
    const found = goTools.find((tool) => Object.hasOwn(tool.programs, program));
    if (found === undefined && program !== pause.name) {
        throw new Error(`no tool of the catalog (${names(goTools)}) has a program ${program}`);
    }
    return found?.name ?? pause.name;
}

const names = (tools: readonly GoTool[]): string => tools.map(({ name }) => name).join(", ");
