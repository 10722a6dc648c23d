import type { RealCluster } from "./real-cluster";

/** The real Kubernetes test image; one program, with curl and dig beside it. */
const agnhost = "registry.k8s.io/e2e-test-images/agnhost:2.59";

/** What of a pod is looked at here. */
interface Pod {
    metadata: { name: string };
    spec: { nodeName: string };
    status: { podIP: string; containerStatuses: { restartCount: number }[] };
}

/** The pods of an app. */
export async function podsOf(cluster: RealCluster, app: string): Promise<Pod[]> {
    return (await cluster.get<{ items: Pod[] }>("pods", "--selector", `app=${app}`)).items;
}

/** Pods that do nothing and pods that answer. */
export const clientPod = (name: string, node?: string): string =>
    manifest("Pod", name, {
        spec: {
            ...(node === undefined ? {} : { nodeName: node }),
            containers: [{ name: "client", image: agnhost, args: ["pause"] }],
            terminationGracePeriodSeconds: 1,
        },
    });

/** A Deployment whose pods answer with their names, behind a Service of the same name on port 80. */
export const webService = (name: string, replicas: number): string =>
    [
        manifest("Deployment", name, {
            spec: {
                replicas,
                selector: { matchLabels: { app: name } },
                template: {
                    metadata: { labels: { app: name } },
                    spec: {
                        terminationGracePeriodSeconds: 1,
                        containers: [
                            {
                                name: "web",
                                image: agnhost,
                                args: ["netexec", "--http-port=8080"],
                                readinessProbe: { httpGet: { path: "/hostname", port: 8080 } },
                            },
                        ],
                        affinity: {
                            podAntiAffinity: {
                                preferredDuringSchedulingIgnoredDuringExecution: [
                                    {
                                        weight: 1,
                                        podAffinityTerm: {
                                            topologyKey: "kubernetes.io/hostname",
                                            labelSelector: { matchLabels: { app: name } },
                                        },
                                    },
                                ],
                            },
                        },
                    },
                },
            },
        }),
        manifest("Service", name, {
            spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
        }),
    ].join("\n---\n");

/** Lets only pods with the label `may-enter=yes` reach the pods of an app. */
export const entryPolicy = (app: string): string =>
    manifest("NetworkPolicy", `enter-${app}`, {
        spec: {
            podSelector: { matchLabels: { app } },
            policyTypes: ["Ingress"],
            ingress: [{ from: [{ podSelector: { matchLabels: { "may-enter": "yes" } } }] }],
        },
    });

const versions: Readonly<Record<string, string>> = {
    Pod: "v1",
    Service: "v1",
    Deployment: "apps/v1",
    NetworkPolicy: "networking.k8s.io/v1",
};

/** JSON is YAML. */
function manifest(kind: string, name: string, rest: object): string {
    return JSON.stringify({ apiVersion: versions[kind], kind, metadata: { name }, ...rest });
}
