/**
 * What real nodes on one machine need and no VM of the cloud does. Everything of that kind is here and
 * nowhere else: the nodes run the product's own files, and what follows is given to them in ways that
 * are open to every user: files of the machine image, and arguments of the cluster.
 */

/** Kernel settings of the whole machine. */
interface KernelSetting {
    /** Below /proc/sys. */
    readonly path: string;
    readonly value: string;
}

/**
 * Nodes share one kernel, so they must not write what is not their own: /proc/sys is read-only but for
 * `net`. What kubelet and the Cilium agent insist on is shown to them as a file with the wanted value.
 */
export const kernelSettings: readonly KernelSetting[] = [
    // kubelet's `protectKernelDefaults` set; it writes only where the value differs.
    { path: "vm/overcommit_memory", value: "1" },
    { path: "vm/panic_on_oom", value: "0" },
    { path: "kernel/panic", value: "10" },
    { path: "kernel/panic_on_oops", value: "1" },
    { path: "kernel/keys/root_maxkeys", value: "1000000" },
    { path: "kernel/keys/root_maxbytes", value: "25000000" },
    // Cilium's agent writes both through a mount of the host's /proc/sys.
    { path: "kernel/unprivileged_bpf_disabled", value: "2" },
    { path: "kernel/timer_migration", value: "1" },
];

/** Files that the machine image of a real node has beside those of a VM. */
export const imageFiles: Readonly<Record<string, string>> = {
    // The machine offers its controllers as cgroup v1 only, which kubelet 1.35 refuses by default.
    "/etc/kubernetes/kubelet.conf.d/10-image.conf": [
        "apiVersion: kubelet.config.k8s.io/v1beta1",
        "kind: KubeletConfiguration",
        "failCgroupV1: false",
        "",
    ].join("\n"),
    // The kernel's log is the whole machine's and says nothing of this node.
    "/etc/systemd/journald.conf.d/10-image.conf": "[Journal]\nReadKMsg=no\n",
    // Without CAP_SYS_RESOURCE no score below the present one can be set, and every sandbox asks for -998.
    "/etc/containerd/conf.d/10-image.toml": [
        "version = 3",
        "[plugins.'io.containerd.cri.v1.runtime']",
        "  restrict_oom_score_adj = true",
        "",
    ].join("\n"),
};

/** What the Cilium chart asks for its agent, without SYS_RESOURCE, which this machine does not have. */
const agentCapabilities = [
    "CHOWN",
    "KILL",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "SYS_MODULE",
    "SYS_ADMIN",
    "DAC_OVERRIDE",
    "FOWNER",
    "SETGID",
    "SETUID",
];
const cleanerCapabilities = ["NET_ADMIN", "SYS_MODULE", "SYS_ADMIN"];

/** Arguments that a cluster on real nodes needs, beside its mirrors. */
export const clusterArguments = {
    // The table's size belongs to the whole machine and cannot be written from a network namespace.
    kubeProxyConfiguration: { conntrack: { maxPerCore: 0 } },
    ciliumValues: {
        // Envoy and Hubble's relay cannot be built from Go modules, so there are no images of them.
        envoy: { enabled: false },
        l7Proxy: false,
        hubble: { enabled: false },
        securityContext: {
            capabilities: { ciliumAgent: agentCapabilities, cleanCiliumState: cleanerCapabilities },
        },
    },
} as const;
