import type { Difference, Facts, Reasoned } from "./support/differences";

/** A field of a static pod in which we differ from kubeadm. */
export interface FieldDifference extends Difference, Reasoned {
    readonly program: string;
}

const loopback =
    "an API server that answers its own node is alive, whatever happened to the network's address";
const probes = ["livenessProbe", "readinessProbe", "startupProbe"] as const;

/** Every difference of pods we mean; flags and mounts are compared apart. */
export const knownFields: readonly FieldDifference[] = [
    {
        program: "kube-apiserver",
        name: "metadata.annotations.kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint",
        kubeadm: "10.0.1.5:6443",
        reason: "a note of kubeadm's to itself, read by `kubeadm upgrade`",
    },
    ...probes.map((probe) => ({
        program: "kube-apiserver",
        name: `spec.containers.0.${probe}.httpGet.host`,
        ours: "127.0.0.1",
        kubeadm: "10.0.1.5",
        reason: loopback,
    })),
];

/** What kubeadm's pods see of the host and ours do not, by path, and why. */
export const knownMounts: Facts = {
    "/etc/kubernetes/pki": "our pods see the single files that their flags name, and no other key",
    "/usr/libexec/kubernetes/kubelet-plugins/volume/exec":
        "flexvolumes are deprecated, and the folder is writable: whoever writes it runs as the program",
};

/** What kubeadm's pod of etcd says, and how our unit of etcd answers it. */
export const etcdFields: readonly (Reasoned & {
    /** Start of the field's name. */
    readonly field: string;
    /** Settings of the unit that do it. */
    readonly unit?: Facts;
})[] = [
    { field: "apiVersion", reason: "a unit is no object of the API" },
    { field: "kind", reason: "a unit is no object of the API" },
    { field: "metadata", reason: "a unit is no object of the API" },
    {
        field: "spec.containers.0.image",
        reason: "the binary of the release lies on the node, at a version of the same minor",
    },
    { field: "spec.containers.0.name", reason: "a unit has one program" },
    { field: "spec.containers.0.ports", reason: "they name a port for probes" },
    {
        field: "spec.containers.0.startupProbe",
        unit: { Type: "notify", TimeoutStartSec: "0" },
        reason: "etcd itself says when it has quorum, which may need other nodes: no start is too slow",
    },
    {
        field: "spec.containers.0.livenessProbe",
        unit: { Restart: "always" },
        reason: "what ends is started again; a member that hangs is reported by the node agent, not killed",
    },
    {
        field: "spec.containers.0.readinessProbe",
        reason: "no Service stands before etcd; the node agent asks the same address for its reports",
    },
    {
        field: "spec.containers.0.resources",
        reason: "the kubelet's systemReserved sets the same amounts aside",
    },
    { field: "spec.hostNetwork", reason: "a unit is on the host's network" },
    { field: "spec.priority", reason: "nothing of the kubelet's can evict a unit" },
    {
        field: "spec.securityContext",
        unit: { User: "etcd", Group: "etcd", NoNewPrivileges: "yes", StateDirectoryMode: "0700" },
        reason: "a user of its own without a way to more rights, where kubeadm's etcd is root in seccomp",
    },
];
