import type { Facts } from "./differences";
import { userKubeconfig } from "./our-node";

/** Where we keep what kubeadm keeps there: its path, then ours. */
export const filePairs: Facts = {
    "/etc/kubernetes/pki/ca.crt": "/etc/exk8s/pki/ca.pem",
    "/etc/kubernetes/pki/front-proxy-ca.crt": "/etc/exk8s/pki/front-proxy-ca.pem",
    "/etc/kubernetes/pki/etcd/ca.crt": "/etc/exk8s/pki/etcd-ca.pem",
    "/etc/kubernetes/pki/apiserver.crt": "/etc/exk8s/pki/apiserver.pem",
    "/etc/kubernetes/pki/apiserver.key": "/etc/exk8s/pki/apiserver-key.pem",
    "/etc/kubernetes/pki/apiserver-kubelet-client.crt":
        "/etc/exk8s/pki/apiserver-kubelet-client.pem",
    "/etc/kubernetes/pki/apiserver-kubelet-client.key":
        "/etc/exk8s/pki/apiserver-kubelet-client-key.pem",
    "/etc/kubernetes/pki/apiserver-etcd-client.crt": "/etc/exk8s/pki/apiserver-etcd-client.pem",
    "/etc/kubernetes/pki/apiserver-etcd-client.key": "/etc/exk8s/pki/apiserver-etcd-client-key.pem",
    "/etc/kubernetes/pki/front-proxy-client.crt": "/etc/exk8s/pki/front-proxy-client.pem",
    "/etc/kubernetes/pki/front-proxy-client.key": "/etc/exk8s/pki/front-proxy-client-key.pem",
    "/etc/kubernetes/pki/sa.pub": "/etc/exk8s/pki/service-account.pem",
    "/etc/kubernetes/pki/sa.key": "/etc/exk8s/pki/service-account-key.pem",
    // kubeadm issues two certificates that say the same; we use one for both.
    "/etc/kubernetes/pki/etcd/server.crt": "/etc/exk8s/pki/etcd-peer.pem",
    "/etc/kubernetes/pki/etcd/server.key": "/etc/exk8s/pki/etcd-peer-key.pem",
    "/etc/kubernetes/pki/etcd/peer.crt": "/etc/exk8s/pki/etcd-peer.pem",
    "/etc/kubernetes/pki/etcd/peer.key": "/etc/exk8s/pki/etcd-peer-key.pem",
    "/etc/kubernetes/admin.conf": userKubeconfig,
    "/etc/kubernetes/super-admin.conf": "/etc/exk8s/kubeconfig/admin.kubeconfig",
    "/etc/kubernetes/kubelet.conf": "/etc/exk8s/kubeconfig/kubelet.kubeconfig",
    "/etc/kubernetes/controller-manager.conf":
        "/etc/exk8s/kubeconfig/controller-manager.kubeconfig",
    "/etc/kubernetes/scheduler.conf": "/etc/exk8s/kubeconfig/scheduler.kubeconfig",
};

const authorityKey = "the key of an authority never lies on a node: certificates come from Pulumi";
const noHealthClient = "etcd tells its health at the address of its metrics, without a certificate";
const selfSigned =
    "kubeadm's kubelet serves with a certificate it signs itself, which nobody checks";

/** Files of kubeadm's that we have no counterpart of, and why. */
export const kubeadmOnly: Facts = {
    "/etc/kubernetes/pki/ca.key": authorityKey,
    "/etc/kubernetes/pki/front-proxy-ca.key": authorityKey,
    "/etc/kubernetes/pki/etcd/ca.key": authorityKey,
    "/etc/kubernetes/pki/etcd/healthcheck-client.crt": noHealthClient,
    "/etc/kubernetes/pki/etcd/healthcheck-client.key": noHealthClient,
};

/** Files of ours that kubeadm has no counterpart of, and why. */
export const oursOnly: Facts = {
    "/etc/exk8s/pki/kubelet-server.pem": selfSigned,
    "/etc/exk8s/pki/kubelet-server-key.pem": selfSigned,
    "/etc/exk8s/kubeconfig/kube-proxy.kubeconfig":
        "the user system:kube-proxy, whom Kubernetes itself binds; kubeadm's has a service account",
};

/** A value of kubeadm's as we would write it: a path of its becomes ours. */
export function inOurTerms(kubeadmValue: string): string {
    return filePairs[kubeadmValue] ?? kubeadmValue;
}
