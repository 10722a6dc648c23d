import type { Difference, Reasoned } from "./support/differences";

type Known = readonly (Difference & Reasoned)[];

const agentNotReady =
    "no pod lands on a node before Cilium runs there, or it would stay without its network";
const shutdown = "pods get time to end when a VM is shut down; kubeadm has none for them";
const etcdShare = "kept from pods for etcd, which is a pod with kubeadm and requests as much there";
const verifiable =
    "the API server and metrics-server verify it; kubeadm's kubelet signs its own, which nobody can";

/** Every difference of the kubelet's configuration we mean. */
export const knownKubeletFields: Known = [
    {
        name: "failSwapOn",
        ours: "false",
        kubeadm: "true",
        reason: "a VM image with swap boots as well; pods get none of it, as by default",
    },
    { name: "registerWithTaints.0.effect", ours: "NoExecute", reason: agentNotReady },
    {
        name: "registerWithTaints.0.key",
        ours: "node.cilium.io/agent-not-ready",
        reason: agentNotReady,
    },
    { name: "registerWithTaints.0.value", ours: "true", reason: agentNotReady },
    {
        name: "rotateCertificates",
        ours: "false",
        kubeadm: "true",
        reason: "Pulumi renews the kubelet's certificate; nothing in the cluster could sign a request",
    },
    { name: "shutdownGracePeriod", ours: "45s", reason: shutdown },
    { name: "shutdownGracePeriodCriticalPods", ours: "30s", reason: shutdown },
    { name: "systemReserved.cpu", ours: "100m", reason: etcdShare },
    { name: "systemReserved.memory", ours: "100Mi", reason: etcdShare },
    { name: "tlsCertFile", ours: "/etc/exk8s/pki/kubelet-server.pem", reason: verifiable },
    {
        name: "tlsPrivateKeyFile",
        ours: "/etc/exk8s/pki/kubelet-server-key.pem",
        reason: verifiable,
    },
];

/** Every difference of the kubelet's flags we mean. */
export const knownKubeletFlags: Known = [
    {
        name: "bootstrap-kubeconfig",
        kubeadm: "/etc/kubernetes/bootstrap-kubelet.conf",
        reason: "a control plane's kubelet has its certificate from the first day, and asks for none",
    },
    {
        name: "config-dir",
        ours: "/etc/kubernetes/kubelet.conf.d",
        reason: "images and operators adjust the configuration without a file of their own instead",
    },
    {
        name: "node-ip",
        ours: "10.0.1.5",
        reason: "the private address, that certificates name, also on a VM with several",
    },
];
