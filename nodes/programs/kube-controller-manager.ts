import { pem, serviceAccountFiles } from "../certificates";
import { kubeconfigFile, kubeconfigPath } from "../kubeconfig";
import { podNetworks } from "../network";
import { ownApiEndpoint } from "../paths";
import { inEveryMinor } from "../program-flags";
import { staticPod } from "../static-pod";

const own = kubeconfigPath("controller-manager");

/** kube-controller-manager. No cluster signing: the CA key is never on a node. */
export const kubeControllerManager = staticPod({
    name: "kube-controller-manager",
    cpu: "200m",
    needsPublicCas: true,
    probes: { port: 10257, startup: "/healthz", liveness: "/healthz" },
    extraArgs: {
        argument: "controllerManagerExtraArgs",
        removed: inEveryMinor([
            "address",
            "port",
            "deleting-pods-burst",
            "deleting-pods-qps",
            "enable-taint-manager",
            "experimental-cluster-signing-duration",
            "horizontal-pod-autoscaler-use-rest-clients",
            "pod-eviction-timeout",
            "register-retry-count",
            "volume-host-allow-local-loopback",
            "volume-host-cidr-denylist",
        ]),
    },
    needs: ["clusterName"],
    flags: (settings, { clusterName }) => ({
        ...(podNetworks[settings.cni].needsNodeCidrs
            ? {
                  "allocate-node-cidrs": "true",
                  "cluster-cidr": settings.podCidr,
                  "node-cidr-mask-size": String(settings.podCidrMaskSize),
              }
            : {}),
        "authentication-kubeconfig": own,
        "authorization-kubeconfig": own,
        "bind-address": "127.0.0.1",
        "client-ca-file": pem.authority("cluster-ca"),
        "cluster-name": clusterName,
        controllers: "*,bootstrapsigner,tokencleaner",
        // Before any controller starts it makes an account for each, four calls apiece; at the default of
        // 20 a second a new cluster waits seven seconds for that.
        "kube-api-burst": "200",
        "kube-api-qps": "100",
        kubeconfig: own,
        "leader-elect": "true",
        profiling: "false",
        "requestheader-client-ca-file": pem.authority("front-proxy-ca"),
        "root-ca-file": pem.authority("cluster-ca"),
        "service-account-private-key-file": serviceAccountFiles.key,
        "service-cluster-ip-range": settings.serviceCidr,
        "use-service-account-credentials": "true",
    }),
    reads: [
        pem.authority("cluster-ca"),
        pem.authority("front-proxy-ca"),
        serviceAccountFiles.key,
        own,
    ],
    // It must not be newer than the API server it talks to, so it uses the node's own.
    files: [kubeconfigFile("controller-manager", "system:kube-controller-manager", ownApiEndpoint)],
});
