import * as pulumi from "@pulumi/pulumi";
import { isRpcSecret, unwrapRpcSecret } from "@pulumi/pulumi/runtime/rpc";

import { ExcloudK8sCluster, type ExcloudK8sClusterArgs } from "../../../../components";
import { TLS_RESOURCES } from "../../../../tools/stand-ins/tls/resources";
import { type Files, scenario } from "./scenario";

/** Stands for a path: the kubeconfig that the user gets and no node has. */
export const userKubeconfig = "(the user's kubeconfig)";

/** A file as the component plans it for a node. */
export interface PlannedFile {
    readonly mode: string;
    readonly owner: string;
    readonly text: string;
}

/** The first control plane of a cluster with default arguments. */
export interface OurNode {
    readonly files: Files;
    readonly planned: Readonly<Record<string, PlannedFile>>;
}

/**
 * Runs the component and gives what it puts on a node. The engine, the cloud and the bootstrap server
 * are played; keys and certificates are real, made by our stand-in of the tls plugin.
 */
export async function ourNode(): Promise<OurNode> {
    const planned: Record<string, PlannedFile> = {};
    const kubeconfig = await new Promise<string>((resolve, reject) => {
        const newResource = async (made: pulumi.runtime.MockResourceArgs) => {
            const inputs = withoutSecrets(made.inputs) as Record<string, unknown>;
            Object.assign(planned, filesIn(inputs));
            // An output of a resource that fails would never be given.
            return answer(made.type, made.name, inputs).catch((error: Error) => {
                reject(error);
                throw error;
            });
        };
        void pulumi.runtime
            .setMocks({ newResource, call: () => ({}) }, "shop", "dev", false, "acme")
            .then(() => new ExcloudK8sCluster("prod", args).kubeconfig.apply(resolve), reject);
    });
    const files = Object.entries(planned).map(([path, { text }]) => [path, text]);
    return {
        planned,
        files: { ...(Object.fromEntries(files) as Files), [userKubeconfig]: kubeconfig },
    };
}

const args: ExcloudK8sClusterArgs = {
    controlPlaneImageId: 1,
    controlPlaneInstanceType: "t1a.medium",
    subnetId: 5,
    bootstrap: { operatorUrl: "https://bootstrap.example:8443" },
};

async function answer(
    type: string,
    name: string,
    inputs: Record<string, unknown>,
): Promise<pulumi.runtime.MockResourceResult> {
    const short = type.split(":").at(-1) ?? "";
    const tls = type.startsWith("tls:") ? TLS_RESOURCES[short] : undefined;
    if (tls !== undefined) {
        const { id, properties } = await tls.create(inputs);
        return { id, state: properties };
    }
    const id = short === "VirtualMachine" ? "701" : name;
    return { id, state: { ...inputs, ...played[short] } };
}

/** Outputs of the resources that are played. */
const played: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    ClusterRegistration: {
        clusterId: scenario.clusterId,
        clusterName: scenario.clusterName,
        orgId: 5,
        verifierMode: "selfHosted",
    },
    NodeSlot: { slotSecret: "secret" },
    NodeAddress: { privateIpv4: scenario.address, privateIpv6: "", publicIpv4: "" },
    NodeBundle: { generation: "1" },
    DnsRecord: { dnsConfigured: true, reason: "" },
};

/** The files that a resource carries to the bootstrap server, each as `mode owner\ntext`. */
function filesIn(inputs: Record<string, unknown>): Record<string, PlannedFile> {
    const carried = { ...(inputs["files"] as object), ...(inputs["secretFiles"] as object) };
    return Object.fromEntries(
        Object.entries(carried as Record<string, string>).map(([path, content]) => {
            const [, mode, owner, text] = /^(\d{4}) (\S+)\n(.*)$/s.exec(content) ?? [];
            if (mode === undefined || owner === undefined || text === undefined) {
                throw new Error(`${path}: the content does not start with mode and owner`);
            }
            return [path, { mode, owner, text }];
        }),
    );
}

/** The values themselves: a plugin that does not ask for secrets is given plain ones. */
function withoutSecrets(value: unknown): unknown {
    if (typeof value !== "object" || value === null) {
        return value;
    }
    if (isRpcSecret(value)) {
        return withoutSecrets(unwrapRpcSecret(value));
    }
    return Array.isArray(value)
        ? value.map(withoutSecrets)
        : Object.fromEntries(
              Object.entries(value).map(([name, item]) => [name, withoutSecrets(item)]),
          );
}
