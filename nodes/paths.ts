/** Where things lie on a node. Every path that two parts must agree on is named here once. */
export const paths = {
    pki: "/etc/exk8s/pki",
    kubeconfigs: "/etc/exk8s/kubeconfig",
    config: "/etc/exk8s/config",
    manifests: "/etc/exk8s/manifests",
    /** What the node itself writes; never part of a rendered file map. */
    runtime: "/etc/exk8s/runtime",
    staticPods: "/etc/kubernetes/manifests",
    kubeletDropIns: "/etc/kubernetes/kubelet.conf.d",
    kubeletConfig: "/var/lib/kubelet/config.yaml",
    systemd: "/etc/systemd/system",
    bin: "/usr/local/bin",
    lib: "/usr/local/lib/exk8s",
    log: "/var/log/exk8s",
    state: "/var/lib/exk8s",
} as const;

/** The cluster's parameters, which every script reads. */
export const clusterEnvPath = `${paths.config}/cluster.env`;
/** What the node's role makes of the scripts. */
export const roleEnvPath = `${paths.config}/role.env`;
/** The node's own parameters. */
export const nodeEnvPath = `${paths.config}/node.env`;
/** The installer's table. */
export const downloadsPath = `${paths.config}/downloads.tsv`;
/** The node agent's table. */
export const agentActionsPath = `${paths.config}/agent-actions`;

/** The runtime files, written by the scripts on the node. */
export const runtimeFiles = {
    peers: `${paths.runtime}/peers.json`,
    bundle: `${paths.runtime}/bundle.json`,
    agentToken: `${paths.runtime}/agent-token`,
    etcdEnv: `${paths.runtime}/etcd.env`,
    bootstrapEnv: `${paths.runtime}/bootstrap.env`,
    bootstrapCa: `${paths.runtime}/bootstrap-ca.pem`,
    bootstrapDone: `${paths.runtime}/bootstrap.done`,
    addonsDone: `${paths.runtime}/addons.done`,
} as const;

/** The owner of etcd's own key files: etcd runs as its own user, which the node creates. */
export const etcdOwner = "etcd:etcd";

/** Ports on every node. `localApi` is the node's own balancer in front of all API servers. */
export const ports = {
    apiServer: 6443,
    localApi: 7443,
    etcdClient: 2379,
    etcdPeer: 2380,
    etcdMetrics: 2381,
} as const;

/** The address at which every node reaches the API, whichever API servers are up. */
export const localApiEndpoint = `https://127.0.0.1:${ports.localApi}`;
/** The node's own API server; for the components that must not be newer than it. */
export const ownApiEndpoint = `https://127.0.0.1:${ports.apiServer}`;
