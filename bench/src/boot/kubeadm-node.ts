import { stringify } from "yaml";

import { defaultNetworks, defaultVersions } from "../../../dist/nodes";

/** etcd as kubeadm runs it, with the program that our nodes run. */
const etcdTag = `${defaultVersions.etcd.replace(/^v/, "")}-0`;
export const etcdImage = `registry.k8s.io/etcd:${etcdTag}`;

/** What kubeadm's packages bring as kubelet.service and 10-kubeadm.conf, with the image's drop-ins. */
export const kubeletUnit = `[Unit]
Description=kubelet: The Kubernetes Node Agent
Wants=network-online.target
After=network-online.target

[Service]
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=/usr/local/bin/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \\
    --kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml \\
    --config-dir=/etc/kubernetes/kubelet.conf.d $KUBELET_KUBEADM_ARGS
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
`;

/** When CoreDNS is applied. */
export type CoreDnsOrder =
    /** As kubeadm does: together with kube-proxy. */
    | "at once"
    /** When kube-proxy is ready, as we do. */
    | "after kube-proxy";

/** User data of a node that runs \`kubeadm init\`, and nothing before it that could wait. */
export function kubeadmUserData(
    nodeName: string,
    podNetwork: string,
    kubeProxyConfiguration: object,
    order: CoreDnsOrder,
): string {
    const init = `kubeadm init --config ${configFile} --ignore-preflight-errors=SystemVerification`;
    const commands = {
        "at once": [init],
        "after kube-proxy": [
            `${init} --skip-phases=addon/coredns`,
            "export KUBECONFIG=/etc/kubernetes/super-admin.conf",
            "kubectl --namespace kube-system rollout status daemonset/kube-proxy",
            `kubeadm init phase addon coredns --config ${configFile}`,
        ],
    }[order];
    return [
        "#!/bin/bash",
        "set -euo pipefail",
        "mkdir -p /etc/cni/net.d",
        `cat >/etc/cni/net.d/10-bench.conflist <<'CONF'\n${podNetwork}\nCONF`,
        `cat >${configFile} <<'CONF'\n${configuration(nodeName, kubeProxyConfiguration)}CONF`,
        // It is enabled, and kubeadm refuses to begin before it runs.
        "systemctl start containerd",
        ...commands,
        "",
    ].join("\n");
}

const configFile = "/root/kubeadm.yaml";

function configuration(nodeName: string, kubeProxyConfiguration: object): string {
    const apiVersion = "kubeadm.k8s.io/v1beta4";
    const { kubernetes, coredns } = defaultVersions;
    return [
        {
            apiVersion,
            kind: "InitConfiguration",
            nodeRegistration: {
                name: nodeName,
                criSocket: "unix:///run/containerd/containerd.sock",
            },
        },
        {
            apiVersion,
            kind: "ClusterConfiguration",
            // Named, or kubeadm asks the internet for the newest.
            kubernetesVersion: kubernetes,
            // As ours; RSA would cost it more.
            encryptionAlgorithm: "ECDSA-P256",
            networking: {
                serviceSubnet: defaultNetworks.serviceCidr,
                podSubnet: defaultNetworks.podCidr,
            },
            dns: { imageTag: coredns },
            etcd: { local: { imageTag: etcdTag } },
        },
        {
            apiVersion: "kubelet.config.k8s.io/v1beta1",
            kind: "KubeletConfiguration",
            cgroupDriver: "systemd",
        },
        {
            apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
            kind: "KubeProxyConfiguration",
            mode: "iptables",
            ...kubeProxyConfiguration,
        },
    ]
        .map((document) => stringify(document))
        .join("---\n");
}
