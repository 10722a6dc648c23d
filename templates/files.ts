import { sha256 } from "../contract/manifest";
import { roles, type Role } from "../contract/roles";
import { parse } from "yaml";
import {
    apiServerPod,
    controllerManagerPod,
    etcdFlags,
    kubeletFlags,
    schedulerPod,
} from "./components";
import { mergeConfig, yamlText, type ConfigObject } from "./config-object";
import { installItems } from "./downloads";
import { renderTemplate } from "./engine";
import { renderKubeconfig } from "./kubeconfig";
import { localApiEndpoint, ownApiEndpoint, paths, ports, runtimeFiles } from "./paths";
import { defaultImdsUrl, type ClusterSettings } from "./settings";
import { envLines } from "./shell";
import { pemOf, restrictTo, type ValueName, type Values } from "./values";

/** For files that only control planes have. */
const controlPlaneOnly: readonly Role[] = ["control-plane"];

/** One rendered file of a node. */
export interface FileSpec {
    /** Absolute path on the node. */
    path: string;
    /** Four octal digits. */
    mode: string;
    /** `user:group`. */
    owner: string;
    roles: readonly Role[];
    /** `role`: equal on all nodes of a role; `node`: each node has its own. */
    scope: "role" | "node";
    /** Whether the text holds a private key. */
    secret: boolean;
    /** The values the text depends on; `render` can read no others. */
    needs: readonly ValueName[];
    /** Whether these settings want the file; always, when absent. */
    when?: (settings: ClusterSettings) => boolean;
    /** The file's text. Throws on reading a value that `needs` does not name or that is missing. */
    readonly render: (values: Values) => string;
}

type Declaration = Pick<FileSpec, "path" | "needs" | "render"> & Partial<FileSpec>;

/** Completes a declaration; the defaults are a plain, public file that all nodes share. */
function file(declaration: Declaration): FileSpec {
    return {
        mode: "0644",
        owner: "root:root",
        roles,
        scope: "role",
        secret: false,
        ...declaration,
        render: (values) =>
            declaration.render(restrictTo(declaration.needs, values, declaration.path)),
    };
}

/** A file whose text is a template without any value. */
const fixed = (path: string, template: string, more: Partial<FileSpec> = {}): FileSpec =>
    file({ path, needs: [], render: () => renderTemplate(template, scriptContext), ...more });
const script = (name: string, more: Partial<FileSpec> = {}): FileSpec =>
    fixed(`${paths.bin}/${name}`, name, { mode: "0755", ...more });
const unit = (name: string, more: Partial<FileSpec> = {}): FileSpec =>
    fixed(`${paths.systemd}/${name}`, name, more);

/** Constants the scripts and units share with this program. */
const scriptContext = { paths, ports, runtimeFiles };

function kubeconfigFile(name: string, userName: string, server: string, more: Partial<FileSpec>) {
    const cert = `cert:${name}` as const;
    const key = `key:${name}` as const;
    return file({
        path: `${paths.kubeconfigs}/${name}.kubeconfig`,
        mode: "0600",
        secret: true,
        roles: controlPlaneOnly,
        needs: ["clusterName", "cert:cluster-ca", cert, key],
        render: (values) =>
            renderKubeconfig({
                clusterName: values.clusterName,
                caPem: pemOf(values, "cert:cluster-ca"),
                server,
                userName,
                certPem: pemOf(values, cert),
                keyPem: pemOf(values, key),
            }),
        ...more,
    });
}

/** A component's configuration from a template, with the user's object merged over it. */
function mergedConfig(template: string, settings: ClusterSettings, over: ConfigObject): string {
    const ours = parse(renderTemplate(template, { settings, paths })) as ConfigObject;
    return yamlText(mergeConfig(ours, over));
}

function kubeProxyManifest(settings: ClusterSettings): string {
    const config = mergedConfig(
        "kube-proxy-config.yaml",
        settings,
        settings.kubeProxyConfiguration,
    );
    return renderTemplate("kube-proxy.yaml", { settings, config, configSha256: sha256(config) });
}

function clusterEnv({ settings, clusterId, clusterName, dnsName }: Values): string {
    return envLines({
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
    });
}

const configFiles: readonly FileSpec[] = [
    file({
        path: `${paths.config}/cluster.env`,
        needs: ["settings", "clusterId", "clusterName", "dnsName"],
        render: (values) => renderTemplate("cluster.env", { lines: clusterEnv(values) }),
    }),
    file({
        path: `${paths.config}/node.env`,
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
        path: `${paths.config}/downloads.tsv`,
        roles: controlPlaneOnly,
        needs: ["settings"],
        render: ({ settings }) =>
            renderTemplate("downloads.tsv", { items: installItems(settings.versions) }),
    }),
    fixed(`${paths.config}/agent-actions`, "agent-actions"),
    file({
        path: `${paths.config}/bootstrap-server.env`,
        needs: ["settings"],
        when: (settings) => settings.bootstrapServer !== undefined,
        render: ({ settings }) =>
            envLines({ BOOTSTRAP_BASE_URL: settings.bootstrapServer?.url ?? "" }),
    }),
    file({
        path: `${paths.config}/bootstrap-server-ca.pem`,
        needs: ["settings"],
        when: (settings) => settings.bootstrapServer !== undefined,
        render: ({ settings }) => settings.bootstrapServer?.caPem ?? "",
    }),
    fixed(`${paths.config}/haproxy.cfg`, "haproxy.cfg"),
];

const kubeconfigFiles: readonly FileSpec[] = [
    kubeconfigFile("admin", "exk8s-installer", localApiEndpoint, {}),
    kubeconfigFile("kube-proxy", "system:kube-proxy", localApiEndpoint, {}),
    kubeconfigFile("kubelet", "kubelet", localApiEndpoint, { scope: "node" }),
    // These two must not be newer than the API server they talk to, so they use the node's own.
    kubeconfigFile("controller-manager", "system:kube-controller-manager", ownApiEndpoint, {}),
    kubeconfigFile("scheduler", "system:kube-scheduler", ownApiEndpoint, {}),
];

const staticPodFiles: readonly FileSpec[] = [
    file({
        path: `${paths.staticPods}/kube-apiserver.yaml`,
        mode: "0600",
        roles: controlPlaneOnly,
        scope: "node",
        needs: ["settings", "privateIpv4"],
        render: ({ settings, privateIpv4 }) =>
            renderTemplate("kube-apiserver.yaml", { pod: apiServerPod(settings, privateIpv4) }),
    }),
    file({
        path: `${paths.staticPods}/kube-controller-manager.yaml`,
        mode: "0600",
        roles: controlPlaneOnly,
        needs: ["settings", "clusterName"],
        render: ({ settings, clusterName }) =>
            renderTemplate("kube-controller-manager.yaml", {
                pod: controllerManagerPod(settings, clusterName),
            }),
    }),
    file({
        path: `${paths.staticPods}/kube-scheduler.yaml`,
        mode: "0600",
        roles: controlPlaneOnly,
        needs: ["settings"],
        render: ({ settings }) =>
            renderTemplate("kube-scheduler.yaml", { pod: schedulerPod(settings) }),
    }),
];

const serviceFiles: readonly FileSpec[] = [
    file({
        path: `${paths.systemd}/etcd.service`,
        roles: controlPlaneOnly,
        needs: ["settings", "clusterName"],
        render: ({ settings, clusterName }) =>
            renderTemplate("etcd.service", {
                ...scriptContext,
                flags: etcdFlags(settings, clusterName),
            }),
    }),
    file({
        path: `${paths.systemd}/kubelet.service`,
        roles: controlPlaneOnly,
        needs: ["settings"],
        render: ({ settings }) =>
            renderTemplate("kubelet.service", { ...scriptContext, flags: kubeletFlags(settings) }),
    }),
    file({
        path: paths.kubeletConfig,
        roles: controlPlaneOnly,
        needs: ["settings"],
        render: ({ settings }) =>
            mergedConfig("kubelet-config.yaml", settings, settings.kubeletConfiguration),
    }),
    file({
        path: "/etc/containerd/config.toml",
        needs: ["settings"],
        render: ({ settings }) => renderTemplate("containerd.toml", { settings }),
    }),
    file({
        path: "/etc/containerd/certs.d/_default/hosts.toml",
        needs: ["settings"],
        when: (settings) => settings.mirrors.images !== "",
        render: ({ settings }) => renderTemplate("containerd-hosts.toml", { settings }),
    }),
    unit("containerd.service"),
    unit("exk8s-bootstrap.service", { roles: controlPlaneOnly }),
    unit("exk8s-addons.service", { roles: controlPlaneOnly }),
    unit("exk8s-node-agent.service"),
    unit("exk8s-node-agent.timer"),
    unit("exk8s-balancer.service"),
    unit("exk8s-imds-guard.service"),
    fixed("/etc/sysctl.d/90-exk8s.conf", "sysctl.conf"),
    fixed("/etc/modules-load.d/exk8s.conf", "modules.conf"),
];

const scriptFiles: readonly FileSpec[] = [
    fixed(`${paths.lib}/common.sh`, "common.sh"),
    fixed(`${paths.lib}/report.sh`, "report.sh"),
    fixed(`${paths.lib}/lease.sh`, "lease.sh"),
    script("exk8s-install-control-plane-prereqs.sh", { roles: controlPlaneOnly }),
    script("exk8s-bootstrap-control-plane.sh", { roles: controlPlaneOnly }),
    script("exk8s-install-cluster-addons.sh", { roles: controlPlaneOnly }),
    script("exk8s-etcd-join.sh", { roles: controlPlaneOnly }),
    script("exk8s-balancer.sh"),
    script("exk8s-node-agent.sh"),
    script("exk8s-imds-guard.sh"),
];

const addonFiles: readonly FileSpec[] = [
    fixed(`${paths.manifests}/rbac.yaml`, "rbac.yaml", { roles: controlPlaneOnly }),
    file({
        path: `${paths.manifests}/kube-proxy.yaml`,
        roles: controlPlaneOnly,
        needs: ["settings"],
        render: ({ settings }) => kubeProxyManifest(settings),
    }),
    file({
        path: `${paths.manifests}/coredns.yaml`,
        roles: controlPlaneOnly,
        needs: ["settings"],
        render: ({ settings }) => renderTemplate("coredns.yaml", { settings }),
    }),
    file({
        path: `${paths.config}/cilium-values.yaml`,
        roles: controlPlaneOnly,
        needs: ["settings"],
        when: (settings) => settings.cni === "cilium",
        render: ({ settings }) =>
            mergedConfig("cilium-values.yaml", settings, settings.ciliumValues),
    }),
    file({
        path: "/etc/cni/net.d/10-exk8s.conflist",
        needs: ["settings"],
        when: (settings) => settings.cni === "bridge",
        render: ({ settings }) => renderTemplate("bridge-cni.json", { settings }),
    }),
];

/** Every rendered file. The list is data: adding a file is adding one entry. */
export const fileSpecs: readonly FileSpec[] = [
    ...configFiles,
    ...kubeconfigFiles,
    ...staticPodFiles,
    ...serviceFiles,
    ...scriptFiles,
    ...addonFiles,
];

/** The files that nodes of a role have under these settings, of one scope. */
export function fileSpecsFor(
    settings: ClusterSettings,
    role: Role,
    scope: FileSpec["scope"],
): readonly FileSpec[] {
    return fileSpecs.filter(
        (spec) =>
            spec.scope === scope &&
            spec.roles.includes(role) &&
            (spec.when === undefined || spec.when(settings)),
    );
}
