import type * as pulumi from "@pulumi/pulumi";

import type { CertificateAuthoritiesArgs } from "./pki/cluster-pki";
import type { KeyAlgorithm } from "./pki/issue";

/** Part of a program's configuration, as its documentation says; plain JSON. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what other languages have, unlike unknown
export type ConfigurationArgs = Record<string, any>;

/** The pod network. */
export enum PodNetwork {
    /** Cilium, installed by its Helm chart. */
    Cilium = "cilium",
    /** Bridge plugins of one node, for a cluster of a single node. */
    Bridge = "bridge",
    /** You bring your own: nodes become Ready when it runs. */
    None = "none",
}

/** Where the bootstrap server is. It runs in a stack of its own. */
export interface BootstrapArgs {
    /**
     * URL at which whoever runs Pulumi reaches it, for example `https://bootstrap.example:8443`. With
     * `https`, as it carries private keys, and without a slash at its end.
     */
    operatorUrl: pulumi.Input<string>;
    /** URL at which nodes reach it, of the same form. Default: `operatorUrl`. */
    nodeUrl?: pulumi.Input<string>;
    /**
     * Certificate (PEM) of the authority that signed the server's: its `tls/ca.crt`, for example
     * `readFileSync("ca.crt", "utf8")`. Default: the public authorities.
     */
    caPem?: pulumi.Input<string>;
}

/** How certificates are made. */
export interface CertificatesArgs {
    /** Kind of the keys. Default `ECDSA` (P-256); `RSA` has 2048 bits. The service-account key is RSA, as in kubeadm. */
    keyAlgorithm?: KeyAlgorithm;
    /** Days that a certificate is valid, 1 to 36500. Default 365, as in kubeadm. */
    validityDays?: number;
    /**
     * Days before its end at which an `up` renews a certificate; less than `validityDays`, else every `up`
     * would. Default 90, or one less than `validityDays`.
     */
    renewBeforeDays?: number;
    /** Your own authorities, for example `{ cluster: { certPem, keyPem } }`. Default: made anew, valid for ten years. */
    authorities?: CertificateAuthoritiesArgs;
}

/** Where nodes download from instead of upstream. */
export interface MirrorsArgs {
    /**
     * Base URL with upstream's host and path below it: `https://mirror.example` serves
     * `https://mirror.example/dl.k8s.io/v1.35.4/...`. Default: upstream.
     */
    binaries?: string;
    /** Registry that serves every image under its upstream repository name, for example `https://registry.example`. Default: upstream. */
    images?: string;
    /**
     * Where the Cilium chart lies: `oci://...`, a chart repository `https://...`, or a folder on nodes.
     * Default `oci://quay.io/cilium/charts`.
     */
    charts?: string;
    /** Mirror of the distribution's packages, for example `http://deb.example/debian`. Default: what the image has. */
    packages?: string;
}

/** Bounds of waiting. A run that ends at one goes on from there at the next `up`. */
export interface TimeoutsArgs {
    /** Seconds until a created VM runs, 1 or more. Default 300. */
    vmCreate?: number;
    /** Seconds until a terminated VM is gone, and the cloud lets go of its security group, 1 or more. Default 300. */
    vmDelete?: number;
    /** Seconds until every node has reported itself ready, 1 or more. Default 1800. */
    ready?: number;
}

/** What exists already and is taken over when the cluster is made. Each must be as the arguments ask. */
export interface AdoptArgs {
    /** A security group that nothing uses, by its id; its rules become the cluster's, its name stays. Not beside `securityGroupIds`. */
    securityGroupId?: number;
    /**
     * Ids of VMs by node, for example `{ "cp-1": 1234 }`: they are renamed, and boot by the cluster's user
     * data only when you run it on them.
     */
    controlPlaneVmIds?: Record<string, number>;
}

/**
 * Arguments of a cluster. Those of plain type decide which resources or files there are, so they must be
 * known when the program starts; all others may be outputs of other resources.
 */
export interface ExcloudK8sClusterArgs {
    /** Number of control planes: 1, or 3, which go on when one fails. Not 2: etcd would lose its quorum when either fails. Default 1. */
    controlPlaneCount?: number;
    /** Id of the image of the control planes, for example 1: a stock Debian or Ubuntu, or one baked for this package. */
    controlPlaneImageId: pulumi.Input<number>;
    /** Instance type of the control planes, for example `t1a.medium`; with 2 CPUs and 2 GiB of memory or more, as kubeadm asks. */
    controlPlaneInstanceType: pulumi.Input<string>;
    /** Id of the subnet of all nodes, for example 5. */
    subnetId: pulumi.Input<number>;
    /** Id of the zone that the subnet is in. Default 1. */
    zoneId?: pulumi.Input<number>;
    /** Ids of your own security groups, for example `[7]`. Default: one is made, with the rules that the cluster needs. */
    securityGroupIds?: pulumi.Input<number>[];
    /**
     * IPv4 networks that may reach the API server, for example `["192.0.2.0/24"]`, when the group is made.
     * Default `["0.0.0.0/0"]`.
     */
    apiServerAllowedCidrs?: string[];
    /** Whether nodes get a public IPv4 address. Default true. */
    allocatePublicIpv4?: pulumi.Input<boolean>;
    /** Public SSH key of the nodes, as text (`ssh-ed25519 AAAA...`) or the name of a stored key. Default: none; nobody has to log in. */
    sshPubkey?: pulumi.Input<string>;
    /** Size of the root volume in GiB, 10 or more. Default 20. */
    rootVolumeSizeGib?: pulumi.Input<number>;
    /** Where the bootstrap server is, which hands each VM its files. */
    bootstrap: BootstrapArgs;
    /**
     * Version of Kubernetes, for example `v1.35.4`; of v1.34 or v1.35. Default: the newest that this release
     * was tested with.
     */
    kubernetesVersion?: pulumi.Input<string>;
    /** IPv4 network of Services, a /24 or larger, apart from `podCidr`. Default `10.96.0.0/12`, as in kubeadm. */
    serviceCidr?: pulumi.Input<string>;
    /** IPv4 network of pods, a /22 or larger, apart from `serviceCidr`; each node takes a /24. Default `10.244.0.0/16`. */
    podCidr?: pulumi.Input<string>;
    /** DNS domain of Services, in lower case. Default `cluster.local`, as in kubeadm. */
    clusterDomain?: pulumi.Input<string>;
    /** Pod network. Default `cilium`; `bridge` only with a single control plane. */
    podNetwork?: PodNetwork;
    /**
     * DNS zone of your organisation in which the API gets a name, for example `k8s.example.org`. Default
     * `k8s.excloud.co.in`. With one that is not yours, the cluster is reached by address.
     */
    dnsZone?: pulumi.Input<string>;
    /** More names and addresses for the API server's certificate, for example `["api.example.org", "192.0.2.1"]`. Default: none. */
    extraSans?: pulumi.Input<string>[];
    /** Flags of kube-apiserver, without dashes; they win over ours. For example `{ "goaway-chance": "0.001" }`. */
    apiServerExtraArgs?: Record<string, pulumi.Input<string>>;
    /** Flags of kube-controller-manager, as those of the API server. */
    controllerManagerExtraArgs?: Record<string, pulumi.Input<string>>;
    /** Flags of kube-scheduler, as those of the API server. */
    schedulerExtraArgs?: Record<string, pulumi.Input<string>>;
    /** Flags of etcd, for example `{ "quota-backend-bytes": "8589934592" }`. */
    etcdExtraArgs?: Record<string, pulumi.Input<string>>;
    /** Flags of the kubelet, for example `{ v: "4" }`. */
    kubeletExtraArgs?: Record<string, pulumi.Input<string>>;
    /** Merged over our KubeletConfiguration (`kubelet.config.k8s.io/v1beta1`), for example `{ maxPods: 50 }`. */
    kubeletConfiguration?: ConfigurationArgs;
    /** Merged over our KubeProxyConfiguration (`kubeproxy.config.k8s.io/v1alpha1`), for example `{ mode: "nftables" }`. */
    kubeProxyConfiguration?: ConfigurationArgs;
    /** Merged over our Helm values of Cilium, for example `{ hubble: { relay: { enabled: true } } }`. */
    ciliumValues?: ConfigurationArgs;
    /** How certificates are made. */
    certificates?: CertificatesArgs;
    /** Where nodes download from instead of upstream. */
    mirrors?: MirrorsArgs;
    /**
     * The control plane that this `up` may replace, for example `["cp-2"]`: one at a time, so that etcd keeps
     * its quorum. Without it, a change that needs a replacement is refused. Default: none.
     */
    replaceNodes?: string[];
    /**
     * Lets `replaceNodes` replace a control plane although another one is not healthy. Default false: etcd
     * could lose its quorum, and the cluster its data.
     */
    replaceWithoutQuorum?: boolean;
    /** Refuses to delete the cluster while it is true. Default false. */
    deletionProtection?: boolean;
    /** What exists already and is taken over. Default: nothing. */
    adopt?: AdoptArgs;
    /** Bounds of waiting. */
    timeouts?: TimeoutsArgs;
}
