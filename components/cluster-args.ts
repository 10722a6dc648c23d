import type * as pulumi from "@pulumi/pulumi";

import type { CertificateAuthoritiesArgs } from "./pki/cluster-pki";
import type { KeyAlgorithm } from "./pki/issue";

/** The pod network. */
export enum PodNetwork {
    Cilium = "cilium",
    /** Bridge plugins of one node, for a cluster of a single node. */
    Bridge = "bridge",
    /** You bring your own: nodes become Ready when it runs. */
    None = "none",
}

/** Where the bootstrap server is. It runs in a stack of its own. */
export interface BootstrapArgs {
    /** URL at which whoever runs Pulumi reaches it. */
    operatorUrl: pulumi.Input<string>;
    /** URL at which nodes reach it. Default: `operatorUrl`. */
    nodeUrl?: pulumi.Input<string>;
    /** CA certificate (PEM) of the server's certificate. Default: the public authorities. */
    caPem?: pulumi.Input<string>;
}

/** How certificates are made. */
export interface CertificatesArgs {
    /** Default `ECDSA` (P-256). */
    keyAlgorithm?: KeyAlgorithm;
    /** Days that a certificate is valid. Default 365. */
    validityDays?: number;
    /** Days before its end at which an `up` renews a certificate. Default 90. */
    renewBeforeDays?: number;
    /** Your own authorities. Default: made anew, valid for ten years. */
    authorities?: CertificateAuthoritiesArgs;
}

/** Where nodes download from instead of upstream. */
export interface MirrorsArgs {
    /** Base URL, upstream's host and path below it. */
    binaries?: string;
    /** Registry that serves every image under its upstream repository name. */
    images?: string;
    /** Where the Cilium chart lies: `oci://...`, a chart repository `https://...`, or a folder on nodes. */
    charts?: string;
    /** Mirror of the distribution's packages. */
    packages?: string;
}

/** Bounds of waiting, in seconds. */
export interface TimeoutsArgs {
    /** Until a created VM runs. Default 300. */
    vmCreate?: number;
    /** Until a terminated VM is gone, and the cloud lets go of its security group. Default 300. */
    vmDelete?: number;
    /** Until every node has reported itself ready. Default 1800. */
    ready?: number;
}

/** What exists already and is taken over when the cluster is made. Each must be as the arguments ask. */
export interface AdoptArgs {
    /** A security group that nothing uses; its rules become the cluster's, its name stays. */
    securityGroupId?: number;
    /** VMs by node, for example `{ "cp-1": 1234 }`: they are renamed, and boot by the cluster's user data only when you run it on them. */
    controlPlaneVmIds?: Record<string, number>;
}

/** Arguments of a cluster. Those of plain type decide which resources or files there are. */
export interface ExcloudK8sClusterArgs {
    /** 1 or 3; two would lose quorum when either fails. Default 1. */
    controlPlaneCount?: number;
    /** Image of the control planes: a stock Debian or Ubuntu, or one baked for this package. */
    controlPlaneImageId: pulumi.Input<number>;
    /** Instance type of the control planes, for example `t1a.medium`; 2 GiB of memory or more. */
    controlPlaneInstanceType: pulumi.Input<string>;
    /** Subnet of all nodes. */
    subnetId: pulumi.Input<number>;
    /** Zone of the subnet. Default 1. */
    zoneId?: pulumi.Input<number>;
    /** Your own security groups. Default: one is made. */
    securityGroupIds?: pulumi.Input<number>[];
    /** Ranges that may reach the API server, when the group is made. Default `["0.0.0.0/0"]`. */
    apiServerAllowedCidrs?: string[];
    /** Whether nodes get a public IPv4 address. Default true. */
    allocatePublicIpv4?: pulumi.Input<boolean>;
    /** Public SSH key of the nodes, as text or the name of a stored key. Default: none. */
    sshPubkey?: pulumi.Input<string>;
    /** Size of the root volume in GiB. Default 20. */
    rootVolumeSizeGib?: pulumi.Input<number>;
    bootstrap: BootstrapArgs;
    /** Default: that of the versions catalog, a patch of v1.35. */
    kubernetesVersion?: pulumi.Input<string>;
    /** IPv4 network of Services. Default `10.96.0.0/12`. */
    serviceCidr?: pulumi.Input<string>;
    /** IPv4 network of pods; each node takes a /24. Default `10.244.0.0/16`. */
    podCidr?: pulumi.Input<string>;
    /** Default `cluster.local`. */
    clusterDomain?: pulumi.Input<string>;
    /** Default `cilium`. */
    podNetwork?: PodNetwork;
    /** DNS zone of your organisation in which the API gets a name. Default `k8s.excloud.co.in`. */
    dnsZone?: pulumi.Input<string>;
    /** More names and addresses for the API server's certificate. */
    extraSans?: pulumi.Input<string>[];
    /** Flags of kube-apiserver, without dashes; they win over ours. */
    apiServerExtraArgs?: Record<string, pulumi.Input<string>>;
    /** Flags of kube-controller-manager. */
    controllerManagerExtraArgs?: Record<string, pulumi.Input<string>>;
    /** Flags of kube-scheduler. */
    schedulerExtraArgs?: Record<string, pulumi.Input<string>>;
    /** Flags of etcd. */
    etcdExtraArgs?: Record<string, pulumi.Input<string>>;
    /** Flags of the kubelet. */
    kubeletExtraArgs?: Record<string, pulumi.Input<string>>;
    /** Merged over our KubeletConfiguration. */
    kubeletConfiguration?: Record<string, unknown>;
    /** Merged over our KubeProxyConfiguration. */
    kubeProxyConfiguration?: Record<string, unknown>;
    /** Merged over our Helm values of Cilium. */
    ciliumValues?: Record<string, unknown>;
    certificates?: CertificatesArgs;
    mirrors?: MirrorsArgs;
    /**
     * Control planes that this `up` may replace, for example `["cp-2"]`: one at a time. Without it, a
     * change that needs a replacement is refused.
     */
    replaceNodes?: string[];
    /**
     * Lets `replaceNodes` replace a control plane although another one is not healthy. Default false: etcd
     * could lose its quorum, and the cluster its data.
     */
    replaceWithoutQuorum?: boolean;
    /** Refuses to delete the cluster while it is true. Default false. */
    deletionProtection?: boolean;
    adopt?: AdoptArgs;
    timeouts?: TimeoutsArgs;
}
