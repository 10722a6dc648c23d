import type { Role } from "../contract/roles";
import { renderTemplate } from "../templates/render";
import { envLines } from "../templates/shell";
import { type InstallItem, installItem } from "./downloads";
import { file } from "./file";
import {
    agentActionsPath,
    clusterEnvPath,
    downloadsPath,
    localApiEndpoint,
    nodeEnvPath,
    roleEnvPath,
} from "./paths";
import type { Program } from "./program";
import { programsOf, roleSpecs } from "./roles";
import { type ClusterSettings, defaultImdsUrl } from "./values/settings";
import type { Versions } from "./versions";

const list = <T>(role: Role, of: (program: Program) => readonly T[]): T[] =>
    programsOf(role).flatMap((program: Program) => of(program));

/** What is downloaded first comes first. Images depend on the order. */
const installOrder: readonly (keyof Versions)[] = [
    "kubernetes",
    "containerd",
    "runc",
    "cniPlugins",
    "etcd",
    "helm",
];

/** What the installer downloads for a role. */
export function installItems(role: Role, versions: Versions): InstallItem[] {
    const downloads = list(role, (program) => program.downloads ?? []);
    return installOrder.flatMap((name) =>
        downloads
            .filter(({ version }) => version === name)
            .map((download) => installItem(download, versions)),
    );
}

/** Images that every node of a role runs. Those of the pod network are named by its chart. */
export const containerImages = (role: Role, settings: ClusterSettings): string[] =>
    list(role, ({ images }) => images?.(settings) ?? []);

/** What the agent does when files change: an action and a path or pattern, in the order of the actions. */
export const agentActions = (role: Role) =>
    list(role, ({ reactions = [] }) => reactions).flatMap(({ action, to }) =>
        to.map((path) => ({ action, path })),
    );

/** The files that tell the scripts of the cluster, of the node's role and of the node. */
export const parameterFiles = [
    file({
        path: clusterEnvPath,
        needs: ["settings", "clusterId", "clusterName", "dnsName"],
        render: ({ settings, clusterId, clusterName, dnsName }) =>
            renderTemplate("cluster.env", {
                lines: envLines({
                    CLUSTER_ID: clusterId,
                    CLUSTER_NAME: clusterName,
                    KUBERNETES_VERSION: settings.versions.kubernetes,
                    CLUSTER_DOMAIN: settings.clusterDomain,
                    SERVICE_CIDR: settings.serviceCidr,
                    SERVICE_CLUSTER_IP: settings.serviceClusterIp,
                    DNS_SERVICE_IP: settings.dnsServiceIp,
                    POD_CIDR: settings.podCidr,
                    APISERVER_ENDPOINT: localApiEndpoint,
                    CONTROL_PLANE_DNS_NAME: dnsName,
                    CNI: settings.cni,
                    CILIUM_VERSION: settings.versions.cilium.replace(/^v/, ""),
                    CHARTS: settings.mirrors.charts,
                    BINARY_MIRROR: settings.mirrors.binaries,
                    PACKAGE_MIRROR: settings.mirrors.packages,
                    IMDS_URL: defaultImdsUrl,
                }),
            }),
    }),
    file({
        path: roleEnvPath,
        needs: ["role"],
        render: ({ role }) =>
            envLines({
                BOOT_PHASES: roleSpecs[role].boot.join(" "),
                BOOT_UNITS: list(role, ({ units = [] }) => units).join(" "),
                HEALTH_CHECKS: list(role, ({ health }) => (health ? [health] : [])).join(" "),
                STATIC_PODS: list(role, ({ name, isStaticPod }) =>
                    isStaticPod ? [name] : [],
                ).join(" "),
                NODE_LABEL: roleSpecs[role].label ?? "",
            }),
    }),
    file({
        path: nodeEnvPath,
        scope: "node",
        needs: ["nodeName", "role", "privateIpv4", "privateIpv6", "publicIpv4"],
        render: (values) =>
            envLines({
                NODE_NAME: values.nodeName,
                NODE_ROLE: values.role,
                NODE_IPV4: values.privateIpv4,
                NODE_IPV6: values.privateIpv6,
                NODE_PUBLIC_IPV4: values.publicIpv4,
            }),
    }),
    file({
        path: downloadsPath,
        needs: ["settings", "role"],
        render: ({ settings, role }) =>
            renderTemplate("installer/downloads.tsv", {
                items: installItems(role, settings.versions),
            }),
    }),
    file({
        path: agentActionsPath,
        needs: ["role"],
        render: ({ role }) =>
            renderTemplate("node-agent/agent-actions", { rows: agentActions(role) }),
    }),
];
