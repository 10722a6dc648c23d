import { generateKeyPairSync } from "node:crypto";

import { stringify } from "yaml";

import type { Bundle } from "../../../../contract/bundle";
import { revisionOf } from "../../../../contract/manifest";
import { generationOfFiles } from "../../../../local-cloud/src/nodes/bundle";
import {
    authorities,
    type ExpectedCertificate,
    expectedCertificates,
} from "../../../../local-cloud/src/nodes/check/certificates";
import { type Authority, issue, type Issued, makeAuthority, type Wish } from "./pki";

const pki = "/etc/exk8s/pki";

/** The authorities of a test cluster. */
export type Authorities = Record<keyof typeof authorities, Authority>;

export async function makeAuthorities(): Promise<Authorities> {
    return {
        cluster: await makeAuthority("kubernetes"),
        etcd: await makeAuthority("etcd-ca"),
        frontProxy: await makeAuthority("front-proxy-ca"),
    };
}

const serviceAccount = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

/** Who the node of a test bundle is. */
export interface TestNode {
    readonly clusterId: number;
    readonly number: number;
    readonly address: string;
    /** Addresses of all control planes by their number; only this node by default. */
    readonly addresses?: Readonly<Record<number, string>>;
    readonly etcd?: "new" | "existing";
}

export const nodeName = (clusterId: number, number: number): string =>
    `cp-${number}.cluster-${clusterId}.internal`;

const command = (program: string, flags: Record<string, string>): string[] => [
    program,
    ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
];

const staticPod = (program: string, flags: Record<string, string>): string =>
    stringify({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: program, namespace: "kube-system" },
        spec: { containers: [{ name: program, command: command(program, flags) }] },
    });

const apiServerFlags = (address: string): Record<string, string> => ({
    "advertise-address": address,
    "service-cluster-ip-range": "10.96.0.0/12",
    "client-ca-file": `${pki}/ca.pem`,
    "tls-cert-file": `${pki}/apiserver.pem`,
    "tls-private-key-file": `${pki}/apiserver-key.pem`,
    "etcd-cafile": `${pki}/etcd-ca.pem`,
    "etcd-certfile": `${pki}/apiserver-etcd-client.pem`,
    "etcd-keyfile": `${pki}/apiserver-etcd-client-key.pem`,
    "kubelet-certificate-authority": `${pki}/ca.pem`,
    "kubelet-client-certificate": `${pki}/apiserver-kubelet-client.pem`,
    "kubelet-client-key": `${pki}/apiserver-kubelet-client-key.pem`,
    "proxy-client-cert-file": `${pki}/front-proxy-client.pem`,
    "proxy-client-key-file": `${pki}/front-proxy-client-key.pem`,
    "requestheader-client-ca-file": `${pki}/front-proxy-ca.pem`,
    "requestheader-allowed-names": "front-proxy-client",
    "requestheader-username-headers": "X-Remote-User",
    "requestheader-group-headers": "X-Remote-Group",
    "requestheader-extra-headers-prefix": "X-Remote-Extra-",
});

const etcdFlags: Record<string, string> = {
    "cert-file": `${pki}/etcd-peer.pem`,
    "key-file": `${pki}/etcd-peer-key.pem`,
    "trusted-ca-file": `${pki}/etcd-ca.pem`,
    "client-cert-auth": "true",
    "peer-cert-file": `${pki}/etcd-peer.pem`,
    "peer-key-file": `${pki}/etcd-peer-key.pem`,
    "peer-trusted-ca-file": `${pki}/etcd-ca.pem`,
    "peer-client-cert-auth": "true",
};

const etcdUnit = [
    "[Unit]",
    "Description=etcd",
    "[Service]",
    "EnvironmentFile=/etc/exk8s/runtime/etcd.env",
    `ExecStart=${command("/usr/local/bin/etcd", etcdFlags).join(" \\\n    ")}`,
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
].join("\n");

const kubeletUnit = `[Unit]
Description=kubelet

[Service]
# NODE_NAME
EnvironmentFile=/etc/exk8s/config/node.env
ExecStart=/usr/local/bin/kubelet \\
    --kubeconfig=/etc/exk8s/kubeconfig/kubelet.kubeconfig \\
    --hostname-override=\${NODE_NAME}
`;

const kubeletConfig = {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    clusterDomain: "cluster.local",
    staticPodPath: "/etc/kubernetes/manifests",
    tlsCertFile: `${pki}/kubelet-server.pem`,
    tlsPrivateKeyFile: `${pki}/kubelet-server-key.pem`,
    authentication: {
        anonymous: { enabled: false },
        x509: { clientCAFile: `${pki}/ca.pem` },
    },
};

export const kubeconfig = (server: string, ca: string, user: Issued): string => {
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    return stringify({
        apiVersion: "v1",
        kind: "Config",
        "current-context": "default",
        contexts: [{ name: "default", context: { cluster: "c", user: "u" } }],
        clusters: [{ name: "c", cluster: { server, "certificate-authority-data": base64(ca) } }],
        users: [
            {
                name: "u",
                user: {
                    "client-certificate-data": base64(user.certificate),
                    "client-key-data": base64(user.key),
                },
            },
        ],
    });
};

const isSecret = (content: string): boolean => /PRIVATE KEY|client-key-data/.test(content);

/** A bundle without peers and hashes: what a test may break before it is sealed. */
export interface Draft {
    node: TestNode;
    bundle: Bundle;
}

/** A bundle that every check accepts. */
export async function goodDraft(ca: Authorities, node: TestNode): Promise<Draft> {
    const { clusterId, number, address } = node;
    const addresses = node.addresses ?? { [number]: address };
    const members = Object.entries(addresses)
        .map(([n, peerAddress]) => ({
            name: nodeName(clusterId, Number(n)),
            address: peerAddress,
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    const name = nodeName(clusterId, number);
    const draft: Draft = {
        node,
        bundle: {
            schema: 1,
            cluster_id: clusterId,
            cluster_name: `exk8s-5-${clusterId.toString(16)}`,
            node_name: name,
            role: "control-plane",
            generation: "",
            revision: "",
            files: {
                [authorities.cluster]: ca.cluster.certificate,
                [authorities.etcd]: ca.etcd.certificate,
                [authorities.frontProxy]: ca.frontProxy.certificate,
                [`${pki}/service-account.pem`]: serviceAccount.publicKey,
                [`${pki}/service-account-key.pem`]: serviceAccount.privateKey,
                "/etc/exk8s/config/cluster.env": "KUBERNETES_VERSION='v1.35.3'\n",
                "/etc/exk8s/config/node.env": `NODE_NAME='${name}'\nNODE_IPV4='${address}'\n`,
                "/etc/exk8s/manifests/coredns.yaml": "kind: Service\n",
                "/etc/cni/net.d/10-exk8s.conflist": "{}\n",
                "/usr/local/bin/exk8s-bootstrap.sh": "#!/usr/bin/env bash\n",
                "/etc/kubernetes/manifests/kube-apiserver.yaml": staticPod(
                    "kube-apiserver",
                    apiServerFlags(address),
                ),
                "/etc/kubernetes/manifests/kube-controller-manager.yaml": staticPod(
                    "kube-controller-manager",
                    {
                        kubeconfig: "/etc/exk8s/kubeconfig/controller-manager.kubeconfig",
                        "root-ca-file": `${pki}/ca.pem`,
                    },
                ),
                "/etc/kubernetes/manifests/kube-scheduler.yaml": staticPod("kube-scheduler", {
                    kubeconfig: "/etc/exk8s/kubeconfig/scheduler.kubeconfig",
                }),
                "/etc/systemd/system/etcd.service": etcdUnit,
                "/etc/systemd/system/kubelet.service": kubeletUnit,
                "/var/lib/kubelet/config.yaml": stringify(kubeletConfig),
            },
            attributes: {},
            peers: members.map((member) => ({ ...member, role: "control-plane" })),
            etcd: node.etcd === "existing" ? { state: "existing" } : { state: "new", members },
        },
    };
    for (const expected of expectedCertificates) {
        put(draft, expected, await issue(ca[expected.authority], wishOf(draft, expected)), ca);
    }
    for (const [file, content] of Object.entries(draft.bundle.files)) {
        const mode = isSecret(content) ? "0600" : file.endsWith(".sh") ? "0755" : "0644";
        draft.bundle.attributes[file] = { mode, owner: "root:root" };
    }
    return draft;
}

/** What a good certificate of this entry says. */
export function wishOf({ bundle, node }: Draft, expected: ExpectedCertificate): Wish {
    const subject = { bundle, address: node.address };
    return {
        commonName: expected.commonName?.(subject) ?? `system:node:${bundle.node_name}`,
        organizations: expected.organizations ?? [],
        usages: expected.usages,
        names: expected.names?.(subject) ?? [],
    };
}

/** Puts a certificate where its entry says. */
export function put(
    { bundle }: Draft,
    { location }: ExpectedCertificate,
    issued: Issued,
    ca: Authorities,
): void {
    if ("kubeconfig" in location) {
        bundle.files[location.kubeconfig] = kubeconfig(
            location.server,
            ca.cluster.certificate,
            issued,
        );
    } else {
        bundle.files[location.certificate] = issued.certificate;
        bundle.files[location.key] = issued.key;
    }
}

/** Computes generation and revision, so that a broken file is not found by its digest. */
export function seal({ bundle }: Draft): Bundle {
    const generation = generationOfFiles(bundle);
    return { ...bundle, generation, revision: revisionOf(generation, bundle.peers) };
}
