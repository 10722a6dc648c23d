import { kubeconfigFile, kubeconfigPath } from "../kubeconfig";
import { ownApiEndpoint } from "../paths";
import { inEveryMinor } from "../program-flags";
import { staticPod } from "../static-pod";

const own = kubeconfigPath("scheduler");

/** kube-scheduler. */
export const kubeScheduler = staticPod({
    name: "kube-scheduler",
    cpu: "100m",
    needsPublicCas: false,
    probes: { port: 10259, startup: "/livez", liveness: "/livez", readiness: "/readyz" },
    extraArgs: {
        argument: "schedulerExtraArgs",
        removed: inEveryMinor([
            "address",
            "port",
            "algorithm-provider",
            "lock-object-name",
            "lock-object-namespace",
            "policy-config-file",
            "policy-configmap",
            "policy-configmap-namespace",
            "use-legacy-policy-config",
        ]),
    },
    needs: [],
    flags: () => ({
        "authentication-kubeconfig": own,
        "authorization-kubeconfig": own,
        "bind-address": "127.0.0.1",
        kubeconfig: own,
        "leader-elect": "true",
        profiling: "false",
    }),
    reads: [own],
    // It must not be newer than the API server it talks to, so it uses the node's own.
    files: [kubeconfigFile("scheduler", "system:kube-scheduler", ownApiEndpoint)],
});
