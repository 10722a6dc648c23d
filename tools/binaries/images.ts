import { defaultVersions } from "#nodes/versions";

import { former, formerKubernetes, goTool, type ToolName } from "./catalog";
import { type DebianFiles, LIBRARIES } from "./debian-files";
import type { ImageConfig } from "./oci-layout";

/** Files out of the Go module that a tool is built from, by their place in the image. */
interface ModuleFiles {
    readonly tool: ToolName;
    readonly module: string;
    readonly copies: Readonly<Record<string, string>>;
    /** Parts of what is copied that the image does without, by their place in the image. */
    readonly without?: readonly string[];
}

/** A container image that is made here under its upstream name. */
export interface Image extends ImageConfig {
    readonly name: string;
    /** Our programs, by their place in the image. */
    readonly programs: Readonly<Record<string, string>>;
    /** From the machine image, with these Debian packages more. */
    readonly debian?: DebianFiles & { readonly packages?: readonly string[] };
    readonly module?: ModuleFiles;
    /** Links, by their place in the image. */
    readonly links?: Readonly<Record<string, string>>;
    /** Texts, by their place in the image. */
    readonly texts?: Readonly<Record<string, string>>;
    /** Nothing but the program: no users, temporary folder or certificates. */
    readonly isBare?: boolean;
}

const v = defaultVersions;

/** Programs that scripts and people expect in a container. */
const SHELL = [
    ...["bash", "sh", "basename", "cat", "chmod", "chown", "cp", "cut", "date", "dirname", "env"],
    ...["find", "grep", "head", "hostname", "id", "ls", "ln", "mkdir", "mktemp", "mv", "ps"],
    ...["readlink", "rm", "sed", "seq", "sleep", "sort", "stat", "tail", "test", "touch", "tr"],
    ...["true", "uname", "wc"],
] as const;

const IPTABLES = [
    ...["iptables", "iptables-save", "iptables-restore"],
    ...["ip6tables", "ip6tables-save", "ip6tables-restore"],
] as const;

/** Images of Kubernetes' components, each with its command on the PATH as upstream's. */
const components = (version: string, programOf: (name: string) => string): readonly Image[] =>
    ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"].map((name) => ({
        name: `registry.k8s.io/${name}:${version}`,
        programs: { [`/usr/local/bin/${name}`]: programOf(name) },
        ...(name === "kube-proxy" ? { debian: forKubeProxy } : {}),
    }));

const forKubeProxy = {
    programs: [...IPTABLES, "nft", "conntrack", "ipset", "modprobe", "sh"],
    plugins: [`${LIBRARIES}/xtables`],
    files: ["etc/protocols"],
};

/** What a cluster of {@link formerKubernetes} pulls in place of its newer twins. */
export const formerImages: readonly Image[] = components(formerKubernetes, former);

/** Version that this Kubernetes release states for agnhost, in its `VERSION`. */
const AGNHOST_VERSION = "2.59";

/** What every cluster pulls. */
export const clusterImages: readonly Image[] = [
    ...components(v.kubernetes, (name) => name),
    {
        name: `registry.k8s.io/pause:${v.pause}`,
        programs: { "/pause": "pause" },
        entrypoint: ["/pause"],
        user: "65535:65535",
        isBare: true,
    },
    {
        name: `registry.k8s.io/coredns/coredns:${v.coredns}`,
        programs: { "/coredns": "coredns" },
        entrypoint: ["/coredns"],
        user: "65532:65532",
    },
    {
        name: `registry.k8s.io/metrics-server/metrics-server:${goTool("metrics-server").version}`,
        programs: { "/metrics-server": "metrics-server" },
        entrypoint: ["/metrics-server"],
        user: "65534",
    },
    {
        name: `registry.k8s.io/e2e-test-images/agnhost:${AGNHOST_VERSION}`,
        programs: { "/agnhost": "agnhost" },
        links: { "/agnhost-2": "agnhost" },
        debian: { programs: [...SHELL, "curl", "dig", "nslookup", "nc", "ip", "ss", "ping"] },
        module: {
            tool: "kubernetes",
            module: "k8s.io/kubernetes",
            copies: {
                "/VERSION": "test/images/agnhost/VERSION",
                "/localhost.crt": "test/images/agnhost/porter/localhost.crt",
                "/localhost.key": "test/images/agnhost/porter/localhost.key",
            },
        },
        entrypoint: ["/agnhost"],
        command: ["pause"],
    },
];

/** What a cluster pulls whose network is Cilium. */
export const ciliumImages: readonly Image[] = [
    {
        name: `quay.io/cilium/cilium:${v.cilium}`,
        programs: {
            "/usr/bin/cilium-agent": "cilium-agent",
            "/usr/bin/cilium-dbg": "cilium-dbg",
            "/usr/bin/cilium-health": "cilium-health",
            "/usr/bin/cilium-health-responder": "cilium-health-responder",
            "/usr/bin/cilium-mount": "cilium-mount",
            "/usr/bin/cilium-sysctlfix": "cilium-sysctlfix",
            "/opt/cni/bin/cilium-cni": "cilium-cni",
            "/cni/loopback": "loopback",
        },
        links: {
            "/usr/bin/cilium": "cilium-dbg",
            "/usr/bin/clang": "../lib/llvm-19/bin/clang",
        },
        debian: {
            packages: ["clang-19"],
            programs: [
                ...SHELL,
                ...["mount", "umount", "nsenter"],
                ...IPTABLES,
                ...IPTABLES.map((name) => name.replace("tables", "tables-nft")),
                ...IPTABLES.map((name) => name.replace("tables", "tables-legacy")),
                ...["ipset", "ip", "tc", "bridge", "kmod", "modprobe", "lsmod"],
                // The agent compiles its BPF programs with the values of the node.
                "usr/lib/llvm-19/bin/clang",
            ],
            plugins: [`${LIBRARIES}/xtables`],
            files: ["etc/protocols", "etc/ethertypes"],
        },
        module: {
            tool: "cilium",
            module: "github.com/cilium/cilium",
            copies: {
                "/init-container.sh": "images/cilium/init-container.sh",
                "/install-plugin.sh": "plugins/cilium-cni/install-plugin.sh",
                "/cni-uninstall.sh": "plugins/cilium-cni/cni-uninstall.sh",
                "/var/lib/cilium/bpf": "bpf",
            },
            without: ["/var/lib/cilium/bpf/tests", "/var/lib/cilium/bpf/complexity-tests"],
        },
        env: ["INITSYSTEM=SYSTEMD", "HUBBLE_SERVER=unix:///var/run/cilium/hubble.sock"],
        workingDir: "/home/cilium",
        command: ["/usr/bin/cilium-dbg"],
    },
    {
        name: `quay.io/cilium/operator-generic:${v.cilium}`,
        programs: { "/usr/bin/cilium-operator-generic": "cilium-operator-generic" },
        command: ["/usr/bin/cilium-operator-generic"],
    },
];
