import { flagList, type ExtraArgs } from "./flags";
import { paths, ports } from "./paths";
import type { ClusterSettings } from "./settings";
import { supportedMinors, type Program } from "./versions";

const pki = (file: string) => `${paths.pki}/${file}`;
const kubeconfig = (name: string) => `${paths.kubeconfigs}/${name}.kubeconfig`;

/**
 * Flags of kube-apiserver: kubeadm's, with the kubelets' certificates verified, no profiling, a quick
 * end, and our paths. It talks to the etcd member of its own node only.
 */
export function apiServerFlags(settings: ClusterSettings, advertiseAddress: string): string[] {
    return flags("kube-apiserver", settings, settings.apiServerExtraArgs, "apiServerExtraArgs", {
        "advertise-address": advertiseAddress,
        "allow-privileged": "true",
        "authorization-mode": "Node,RBAC",
        "client-ca-file": pki("ca.pem"),
        "enable-admission-plugins": "NodeRestriction",
        "enable-bootstrap-token-auth": "true",
        "etcd-cafile": pki("etcd-ca.pem"),
        "etcd-certfile": pki("apiserver-etcd-client.pem"),
        "etcd-keyfile": pki("apiserver-etcd-client-key.pem"),
        "etcd-servers": `https://127.0.0.1:${ports.etcdClient}`,
        "kubelet-certificate-authority": pki("ca.pem"),
        "kubelet-client-certificate": pki("apiserver-kubelet-client.pem"),
        "kubelet-client-key": pki("apiserver-kubelet-client-key.pem"),
        "kubelet-preferred-address-types": "InternalIP,ExternalIP,Hostname",
        profiling: "false",
        "proxy-client-cert-file": pki("front-proxy-client.pem"),
        "proxy-client-key-file": pki("front-proxy-client-key.pem"),
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-client-ca-file": pki("front-proxy-ca.pem"),
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "secure-port": String(ports.apiServer),
        "service-account-issuer": settings.serviceAccountIssuer,
        "service-account-key-file": pki("service-account.pem"),
        "service-account-signing-key-file": pki("service-account-key.pem"),
        "service-cluster-ip-range": settings.serviceCidr,
        // A server that ends tells clients to ask another one. Without it, it waits up to a minute for
        // watches, which never end by themselves.
        "shutdown-send-retry-after": "true",
        "tls-cert-file": pki("apiserver.pem"),
        "tls-private-key-file": pki("apiserver-key.pem"),
    });
}

/**
 * Flags of kube-controller-manager. No cluster signing: the CA key is never on a node. Node CIDRs
 * are handed out only where the pod network is not Cilium, which has a pool of its own.
 */
export function controllerManagerFlags(settings: ClusterSettings, clusterName: string): string[] {
    const nodeCidrs: ExtraArgs =
        settings.cni === "cilium"
            ? {}
            : {
                  "allocate-node-cidrs": "true",
                  "cluster-cidr": settings.podCidr,
                  "node-cidr-mask-size": String(settings.podCidrMaskSize),
              };
    const own = kubeconfig("controller-manager");
    return flags(
        "kube-controller-manager",
        settings,
        settings.controllerManagerExtraArgs,
        "controllerManagerExtraArgs",
        {
            ...nodeCidrs,
            "authentication-kubeconfig": own,
            "authorization-kubeconfig": own,
            "bind-address": "127.0.0.1",
            "client-ca-file": pki("ca.pem"),
            "cluster-name": clusterName,
            controllers: "*,bootstrapsigner,tokencleaner",
            // Before any controller starts it makes an account for each, four calls apiece; at the
            // default of 20 a second a new cluster waits seven seconds for that.
            "kube-api-burst": "200",
            "kube-api-qps": "100",
            kubeconfig: own,
            "leader-elect": "true",
            profiling: "false",
            "requestheader-client-ca-file": pki("front-proxy-ca.pem"),
            "root-ca-file": pki("ca.pem"),
            "service-account-private-key-file": pki("service-account-key.pem"),
            "service-cluster-ip-range": settings.serviceCidr,
            "use-service-account-credentials": "true",
        },
    );
}

/** Flags of kube-scheduler. */
export function schedulerFlags(settings: ClusterSettings): string[] {
    const own = kubeconfig("scheduler");
    return flags("kube-scheduler", settings, settings.schedulerExtraArgs, "schedulerExtraArgs", {
        "authentication-kubeconfig": own,
        "authorization-kubeconfig": own,
        "bind-address": "127.0.0.1",
        kubeconfig: own,
        "leader-elect": "true",
        profiling: "false",
    });
}

/**
 * Flags of etcd, with `${...}` for what the node's environment files say. The members and whether
 * the cluster is new come as ETCD_ variables from the join script: etcd refuses to start when a
 * flag and a variable name the same thing.
 */
export function etcdFlags(settings: ClusterSettings, clusterName: string): string[] {
    const node = "https://${NODE_IPV4}";
    return flags("etcd", settings, settings.etcdExtraArgs, "etcdExtraArgs", {
        "advertise-client-urls": `${node}:${ports.etcdClient}`,
        "cert-file": pki("etcd-peer.pem"),
        "client-cert-auth": "true",
        "data-dir": "/var/lib/etcd/data",
        "feature-gates": "InitialCorruptCheck=true",
        "initial-advertise-peer-urls": `${node}:${ports.etcdPeer}`,
        "initial-cluster-token": clusterName,
        "key-file": pki("etcd-peer-key.pem"),
        "listen-client-urls": `https://127.0.0.1:${ports.etcdClient},${node}:${ports.etcdClient}`,
        "listen-metrics-urls": `http://127.0.0.1:${ports.etcdMetrics}`,
        "listen-peer-urls": `${node}:${ports.etcdPeer}`,
        name: "${NODE_NAME}",
        "peer-cert-file": pki("etcd-peer.pem"),
        "peer-client-cert-auth": "true",
        "peer-key-file": pki("etcd-peer-key.pem"),
        "peer-trusted-ca-file": pki("etcd-ca.pem"),
        "snapshot-count": "10000",
        "trusted-ca-file": pki("etcd-ca.pem"),
        "watch-progress-notify-interval": "5s",
    });
}

/** Flags of the kubelet; all else is in its configuration file and drop-ins. */
export function kubeletFlags(settings: ClusterSettings): string[] {
    return flags("kubelet", settings, settings.kubeletExtraArgs, "kubeletExtraArgs", {
        config: paths.kubeletConfig,
        "config-dir": paths.kubeletDropIns,
        "hostname-override": "${NODE_NAME}",
        kubeconfig: kubeconfig("kubelet"),
        "node-ip": "${NODE_IPV4}",
    });
}

function flags(
    program: Program,
    settings: ClusterSettings,
    extra: ExtraArgs,
    what: string,
    defaults: ExtraArgs,
): string[] {
    const known = supportedMinors[settings.minor];
    return flagList(what, defaults, extra, known?.[program] ?? []);
}

/** Port and paths of a static pod's probes, all of them kubeadm's. */
interface Probes {
    port: number;
    startup: string;
    liveness: string;
    /** Absent where the program has no such path: a probe of it would never succeed. */
    readiness?: string;
}

/** What a static pod's manifest says. */
export interface StaticPod {
    name: string;
    image: string;
    cpu: string;
    flags: readonly string[];
    probes: Probes;
    /** Single files the program reads: those its flags name below /etc/exk8s. */
    files: readonly { name: string; path: string }[];
    /** The distribution's CA folders, for webhooks and identity providers with public certificates. */
    folders: readonly { name: string; path: string }[];
}

/** kube-apiserver as a static pod. */
export function apiServerPod(settings: ClusterSettings, advertiseAddress: string): StaticPod {
    return staticPod(settings, "kube-apiserver", apiServerFlags(settings, advertiseAddress), {
        cpu: "250m",
        folders: hostCaFolders,
        probes: {
            port: ports.apiServer,
            startup: "/livez",
            liveness: "/livez",
            readiness: "/readyz",
        },
    });
}

/** kube-controller-manager as a static pod. */
export function controllerManagerPod(settings: ClusterSettings, clusterName: string): StaticPod {
    const list = controllerManagerFlags(settings, clusterName);
    return staticPod(settings, "kube-controller-manager", list, {
        cpu: "200m",
        folders: hostCaFolders,
        probes: { port: 10257, startup: "/healthz", liveness: "/healthz" },
    });
}

/** kube-scheduler as a static pod. */
export function schedulerPod(settings: ClusterSettings): StaticPod {
    return staticPod(settings, "kube-scheduler", schedulerFlags(settings), {
        cpu: "100m",
        folders: [],
        probes: { port: 10259, startup: "/livez", liveness: "/livez", readiness: "/readyz" },
    });
}

const hostCaFolders = [
    { name: "ca-certs", path: "/etc/ssl/certs" },
    { name: "etc-ca-certificates", path: "/etc/ca-certificates" },
    { name: "usr-local-share-ca-certificates", path: "/usr/local/share/ca-certificates" },
    { name: "usr-share-ca-certificates", path: "/usr/share/ca-certificates" },
] as const;

function staticPod(
    settings: ClusterSettings,
    name: string,
    list: readonly string[],
    rest: Pick<StaticPod, "cpu" | "folders" | "probes">,
): StaticPod {
    const files = new Set(
        list
            .map((flag) => flag.slice(flag.indexOf("=") + 1))
            .filter((value) => value.startsWith("/etc/exk8s/")),
    );
    return {
        name,
        image: `registry.k8s.io/${name}:${settings.versions.kubernetes}`,
        flags: list,
        files: [...files].sort().map((path) => ({
            path,
            name: path.split("/").slice(-1).join("").replace(/\./g, "-"),
        })),
        ...rest,
    };
}
