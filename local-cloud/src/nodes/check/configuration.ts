import type { X509Certificate } from "node:crypto";

import type { Bundle } from "#contract/bundle";

import { authorities } from "./certificates";
import type { Check } from "./check";
import { componentFlags, yamlAt } from "./static-pods";
import { parseUnit } from "./units";
import { isKeyOf, readCertificate } from "./x509";

/** Flags of a component that must name the certificate of an authority. */
const trust: readonly [component: string, flag: string, authority: keyof typeof authorities][] = [
    ["kube-apiserver", "client-ca-file", "cluster"],
    ["kube-apiserver", "etcd-cafile", "etcd"],
    ["kube-apiserver", "requestheader-client-ca-file", "frontProxy"],
    ["kube-apiserver", "kubelet-certificate-authority", "cluster"],
    ["kube-controller-manager", "root-ca-file", "cluster"],
];

/** Flags of a component that name a certificate and its key. */
const pairs: readonly [component: string, certificate: string, key: string][] = [
    ["kube-apiserver", "tls-cert-file", "tls-private-key-file"],
    ["kube-apiserver", "etcd-certfile", "etcd-keyfile"],
    ["kube-apiserver", "kubelet-client-certificate", "kubelet-client-key"],
    ["kube-apiserver", "proxy-client-cert-file", "proxy-client-key-file"],
    ["etcd", "cert-file", "key-file"],
    ["etcd", "peer-cert-file", "peer-key-file"],
];

/** Flags of etcd that must name etcd's own authority. */
const etcdTrust = ["trusted-ca-file", "peer-trusted-ca-file"];

/** Flags of the API server that extension servers depend on (they have no default). */
const headerFlags = [
    "requestheader-username-headers",
    "requestheader-group-headers",
    "requestheader-extra-headers-prefix",
    "requestheader-allowed-names",
];

/** Flags of a component: of its static pod, or of etcd's unit. */
function flags(bundle: Bundle, component: string): Map<string, string> {
    if (component !== "etcd") {
        return componentFlags(bundle, component);
    }
    return unitFlags(bundle, "etcd");
}

function unitFlags(bundle: Bundle, name: string): Map<string, string> {
    const file = `/etc/systemd/system/${name}.service`;
    const commands =
        parseUnit(file, bundle.files[file] ?? "").values.get("Service.ExecStart") ?? [];
    return new Map(
        [...commands.join(" ").matchAll(/--([\w-]+)=("[^"]*"|\S+)/g)].map(([, flag, value]) => [
            flag ?? "",
            (value ?? "").replaceAll('"', ""),
        ]),
    );
}

const certificateAt = (bundle: Bundle, file: string | undefined): X509Certificate | undefined =>
    readCertificate(file === undefined ? undefined : bundle.files[file]);

const isAuthority = (bundle: Bundle, file: string, authority: keyof typeof authorities): boolean =>
    certificateAt(bundle, file)?.fingerprint256 ===
    certificateAt(bundle, authorities[authority])?.fingerprint256;

/** Values of an environment file, quotes taken off. */
const environmentOf = (text: string): Map<string, string> =>
    new Map(
        [...text.matchAll(/^([A-Z0-9_]+)=(.*)$/gm)].map(([, name, value]) => [
            name ?? "",
            (value ?? "").replace(/^(['"])(.*)\1$/, "$2"),
        ]),
    );

/** Whether what components are started with fits the node and the certificates. */
export const configurationChecks: readonly Check[] = [
    {
        name: "trust",
        phase: "apiserver",
        *reasons({ bundle }) {
            for (const [component, flag, authority] of trust) {
                const file = componentFlags(bundle, component).get(flag);
                if (bundle.role !== "control-plane") {
                    continue;
                }
                if (file === undefined) {
                    yield `${component} has no --${flag}`;
                } else if (!isAuthority(bundle, file, authority)) {
                    yield `${component} --${flag}=${file} is not the ${authority} CA`;
                }
            }
        },
    },
    {
        name: "etcd-trust",
        phase: "etcd",
        *reasons({ bundle }) {
            if (bundle.role !== "control-plane") {
                return;
            }
            const etcd = flags(bundle, "etcd");
            for (const flag of etcdTrust) {
                const file = etcd.get(flag);
                if (file === undefined) {
                    yield `etcd has no --${flag}`;
                } else if (!isAuthority(bundle, file, "etcd")) {
                    yield `etcd --${flag}=${file} is not the etcd CA`;
                }
            }
            for (const flag of ["client-cert-auth", "peer-client-cert-auth"]) {
                if (etcd.get(flag) === "false") {
                    yield `etcd has --${flag}=false: anybody may write`;
                }
            }
        },
    },
    {
        name: "key-pair",
        phase: "apiserver",
        *reasons({ bundle }) {
            if (bundle.role !== "control-plane") {
                return;
            }
            for (const [component, certificateFlag, keyFlag] of pairs) {
                const own = flags(bundle, component);
                const certificateFile = own.get(certificateFlag);
                const keyFile = own.get(keyFlag);
                if (certificateFile === undefined || keyFile === undefined) {
                    yield `${component} needs --${certificateFlag} and --${keyFlag}`;
                    continue;
                }
                const certificate = certificateAt(bundle, certificateFile);
                if (certificate === undefined) {
                    yield `${component}: ${certificateFile} is no certificate`;
                } else if (!isKeyOf(certificate, bundle.files[keyFile] ?? "")) {
                    yield `${component}: ${keyFile} is not the key of ${certificateFile}`;
                }
            }
        },
    },
    {
        name: "aggregation",
        phase: "apiserver",
        *reasons({ bundle }) {
            if (bundle.role !== "control-plane") {
                return;
            }
            const own = componentFlags(bundle, "kube-apiserver");
            for (const flag of headerFlags) {
                if (own.get(flag) === undefined) {
                    yield `kube-apiserver has no --${flag}`;
                }
            }
        },
    },
    {
        name: "own-address",
        phase: "apiserver",
        *reasons({ bundle, address }) {
            const advertised = componentFlags(bundle, "kube-apiserver").get("advertise-address");
            if (advertised !== undefined && advertised !== address) {
                yield `kube-apiserver advertises ${advertised}, the node has ${address}`;
            }
            const environment = environmentOf(bundle.files["/etc/exk8s/config/node.env"] ?? "");
            const given = environment.get("NODE_IPV4");
            if (given !== undefined && given !== address) {
                yield `node.env gives the address ${given}, the node has ${address}`;
            }
        },
    },
    {
        name: "own-name",
        phase: "kubelet",
        *reasons({ bundle }) {
            const override = unitFlags(bundle, "kubelet").get("hostname-override");
            const environment = environmentOf(bundle.files["/etc/exk8s/config/node.env"] ?? "");
            const name = /^\$\{?NODE_NAME\}?$/.test(override ?? "")
                ? environment.get("NODE_NAME")
                : override;
            if (bundle.role === "control-plane" && name !== bundle.node_name) {
                yield `the kubelet registers as ${name ?? "the host's name"}, not as ${bundle.node_name}`;
            }
        },
    },
    {
        name: "kubelet-configuration",
        phase: "kubelet",
        *reasons({ bundle }) {
            if (bundle.role !== "control-plane") {
                return;
            }
            const config = yamlAt(bundle, "/var/lib/kubelet/config.yaml") as
                KubeletConfiguration | null | undefined;
            if (config?.kind !== "KubeletConfiguration") {
                yield "/var/lib/kubelet/config.yaml is no KubeletConfiguration";
                return;
            }
            const certificate = certificateAt(bundle, config.tlsCertFile);
            if (certificate === undefined) {
                yield "the kubelet has no tlsCertFile that is a certificate";
            } else if (!isKeyOf(certificate, bundle.files[config.tlsPrivateKeyFile ?? ""] ?? "")) {
                yield "the kubelet's tlsPrivateKeyFile is not the key of its tlsCertFile";
            }
            const clients = config.authentication?.x509?.clientCAFile;
            if (clients === undefined || !isAuthority(bundle, clients, "cluster")) {
                yield `the kubelet's clientCAFile ${clients ?? "(none)"} is not the cluster CA`;
            }
            if (config.authentication?.anonymous?.enabled !== false) {
                yield "the kubelet lets anonymous callers in";
            }
            if (config.staticPodPath !== "/etc/kubernetes/manifests") {
                yield `the kubelet's staticPodPath is ${config.staticPodPath ?? "(none)"}, not /etc/kubernetes/manifests`;
            }
        },
    },
];

interface KubeletConfiguration {
    readonly kind?: string;
    readonly tlsCertFile?: string;
    readonly tlsPrivateKeyFile?: string;
    readonly staticPodPath?: string;
    readonly authentication?: {
        readonly x509?: { readonly clientCAFile?: string };
        readonly anonymous?: { readonly enabled?: boolean };
    };
}
