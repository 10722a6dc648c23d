import { pem, pemFiles, serviceAccountFiles } from "../certificates";
import { ports } from "../paths";
import { inEveryMinor } from "../program-flags";
import { staticPod } from "../static-pod";

/**
 * kube-apiserver with kubeadm's flags, the kubelets' certificates verified, no profiling, a quick end, and our
 * paths. It talks to the etcd member of its own node only.
 */
export const kubeApiServer = staticPod({
    name: "kube-apiserver",
    cpu: "250m",
    needsPublicCas: true,
    probes: { port: ports.apiServer, startup: "/livez", liveness: "/livez", readiness: "/readyz" },
    health: "apiserver",
    extraArgs: {
        argument: "apiServerExtraArgs",
        removed: inEveryMinor([
            "insecure-port",
            "insecure-bind-address",
            "kubelet-https",
            "service-account-api-audiences",
            "target-ram-mb",
        ]),
    },
    scope: "node",
    needs: ["privateIpv4"],
    flags: (settings, { privateIpv4 }) => ({
        "advertise-address": privateIpv4,
        "allow-privileged": "true",
        "authorization-mode": "Node,RBAC",
        "client-ca-file": pem.authority("cluster-ca"),
        "enable-admission-plugins": "NodeRestriction",
        "enable-bootstrap-token-auth": "true",
        "etcd-cafile": pem.authority("etcd-ca"),
        "etcd-certfile": pem.certificate("apiserver-etcd-client"),
        "etcd-keyfile": pem.key("apiserver-etcd-client"),
        "etcd-servers": `https://127.0.0.1:${ports.etcdClient}`,
        "kubelet-certificate-authority": pem.authority("cluster-ca"),
        "kubelet-client-certificate": pem.certificate("apiserver-kubelet-client"),
        "kubelet-client-key": pem.key("apiserver-kubelet-client"),
        "kubelet-preferred-address-types": "InternalIP,ExternalIP,Hostname",
        profiling: "false",
        "proxy-client-cert-file": pem.certificate("front-proxy-client"),
        "proxy-client-key-file": pem.key("front-proxy-client"),
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-client-ca-file": pem.authority("front-proxy-ca"),
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "secure-port": String(ports.apiServer),
        "service-account-issuer": settings.serviceAccountIssuer,
        "service-account-key-file": serviceAccountFiles.publicKey,
        "service-account-signing-key-file": serviceAccountFiles.key,
        "service-cluster-ip-range": settings.serviceCidr,
        // A server that ends tells clients to ask another one. Without it, it waits up to a minute for
        // watches, which never end by themselves.
        "shutdown-send-retry-after": "true",
        "tls-cert-file": pem.certificate("apiserver"),
        "tls-private-key-file": pem.key("apiserver"),
    }),
    reads: [
        pem.authority("cluster-ca"),
        pem.authority("etcd-ca"),
        pem.authority("front-proxy-ca"),
        ...pemFiles(
            "apiserver",
            "apiserver-etcd-client",
            "apiserver-kubelet-client",
            "front-proxy-client",
        ),
        serviceAccountFiles.publicKey,
        serviceAccountFiles.key,
    ],
});
