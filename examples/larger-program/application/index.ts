// An application on the cluster of the platform's stack.

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

// The stack of the same name: dev on dev, prod on prod.
const platform = new pulumi.StackReference(
    `${pulumi.getOrganization()}/larger-program/${pulumi.getStack()}`,
);

const cluster = new k8s.Provider("platform", {
    kubeconfig: platform.requireOutput("kubeconfig"),
});

const labels = { app: "hello" };
const deployment = new k8s.apps.v1.Deployment(
    "hello",
    {
        spec: {
            replicas: 2,
            selector: { matchLabels: labels },
            template: {
                metadata: { labels },
                spec: {
                    containers: [{ name: "hello", image: "registry.k8s.io/pause:3.10.1" }],
                },
            },
        },
    },
    { provider: cluster },
);

export const name = deployment.metadata.name;
