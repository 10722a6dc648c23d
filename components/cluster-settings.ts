import * as pulumi from "@pulumi/pulumi";

import { type ClusterSettings, clusterSettings } from "../nodes";
import type { ExcloudK8sClusterArgs } from "./cluster-args";
import type { BootstrapEndpoints } from "./control-plane-node";
import { type IssuePolicy, KeyAlgorithm } from "./pki/issue";

/** How the bootstrap server is reached, with the arguments' defaults. */
export function bootstrapEndpoints({ bootstrap }: ExcloudK8sClusterArgs): BootstrapEndpoints {
    const operatorUrl = pulumi.output(bootstrap.operatorUrl);
    const caPem = pulumi.output(bootstrap.caPem ?? "");
    return {
        nodeUrl: pulumi.output(bootstrap.nodeUrl ?? operatorUrl),
        caPem,
        server: pulumi
            .all([operatorUrl, caPem])
            .apply(([url, pem]) => ({ operatorUrl: url, ...(pem ? { caPem: pem } : {}) })),
    };
}

/** The settings without what may be known later: enough to say which files there are. */
export function shapeOf({ podNetwork, mirrors }: ExcloudK8sClusterArgs): ClusterSettings {
    return clusterSettings({
        ...(podNetwork ? { cni: podNetwork } : {}),
        ...(mirrors ? { mirrors } : {}),
        bootstrapServer: { url: "https://known-later", caPem: "" },
    });
}

/** The cluster's settings, as far as they are known here. */
export function settingsOf(
    args: ExcloudK8sClusterArgs,
    { nodeUrl, caPem }: BootstrapEndpoints,
): pulumi.Output<ClusterSettings> {
    return pulumi
        .output({
            version: args.kubernetesVersion,
            clusterDomain: args.clusterDomain,
            serviceCidr: args.serviceCidr,
            podCidr: args.podCidr,
            apiServerExtraArgs: args.apiServerExtraArgs,
            controllerManagerExtraArgs: args.controllerManagerExtraArgs,
            schedulerExtraArgs: args.schedulerExtraArgs,
            etcdExtraArgs: args.etcdExtraArgs,
            kubeletExtraArgs: args.kubeletExtraArgs,
            kubeletConfiguration: args.kubeletConfiguration,
            kubeProxyConfiguration: args.kubeProxyConfiguration,
            ciliumValues: args.ciliumValues,
            url: nodeUrl,
            caPem,
        })
        .apply(({ version, url, caPem: pem, ...given }) => {
            const set = Object.fromEntries(
                Object.entries(given).filter(([, value]) => value !== undefined),
            );
            return clusterSettings({
                ...set,
                ...(version ? { versions: { kubernetes: version } } : {}),
                ...(args.podNetwork ? { cni: args.podNetwork } : {}),
                ...(args.mirrors ? { mirrors: args.mirrors } : {}),
                bootstrapServer: { url, caPem: pem },
            });
        });
}

/** How certificates are made, with the arguments' defaults. */
export function issuePolicy({ certificates = {} }: ExcloudK8sClusterArgs): IssuePolicy {
    const { keyAlgorithm = KeyAlgorithm.Ecdsa, validityDays = 365 } = certificates;
    return {
        keyAlgorithm,
        validityHours: validityDays * 24,
        renewBeforeHours: (certificates.renewBeforeDays ?? Math.min(90, validityDays - 1)) * 24,
    };
}
