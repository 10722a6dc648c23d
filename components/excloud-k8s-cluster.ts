import * as pulumi from "@pulumi/pulumi";

import {
    ClusterReadiness,
    ClusterRegistration,
    DnsRecord,
    RoleFiles,
    SecurityGroup,
} from "../provider/resources";
import { subnetCidr, type Rule } from "../provider/handlers/security-group";
import type { Replacement } from "../provider/handlers/virtual-machine";
import {
    clusterSettings,
    fileSpecsFor,
    ports,
    renderKubeconfig,
    type ClusterSettings,
} from "../templates";
import type { ExcloudK8sClusterArgs } from "./cluster-args";
import {
    certificateFiles,
    ControlPlaneNode,
    pemValues,
    type BootstrapEndpoints,
    type NodeContext,
} from "./control-plane-node";
import {
    fileInputs,
    manifestOf,
    renderFiles,
    textFile,
    type PlannedFile,
    type ValueInputs,
} from "./files";
import { authorities, clusterCertificates, serviceAccountFiles } from "./pki/certificates";
import { ClusterPki } from "./pki/cluster-pki";
import { KeyAlgorithm, type IssuePolicy } from "./pki/issue";
import { validateArgs } from "./validate";

/**
 * A Kubernetes cluster on Excloud: virtual machines that assemble themselves into a control plane.
 *
 * Made before it: a bootstrap server, which hands each VM its files.
 *
 * @example
 * const cluster = new ExcloudK8sCluster("prod", {
 *     controlPlaneCount: 3,
 *     controlPlaneImageId: 1,
 *     controlPlaneInstanceType: "t1a.medium",
 *     subnetId: 5,
 *     bootstrap: { operatorUrl: "https://bootstrap.example:8443" },
 * });
 * export const kubeconfig = cluster.kubeconfig;
 */
export class ExcloudK8sCluster extends pulumi.ComponentResource {
    /** Number of the cluster, drawn by the bootstrap server. */
    readonly clusterId: pulumi.Output<number>;
    /** `exk8s-{organisation}-{cluster id in hex}` */
    readonly name: pulumi.Output<string>;
    /** Secret. For administrators, at the DNS name, or at the first node's address when DNS is not configured. Given when the cluster is ready. */
    readonly kubeconfig: pulumi.Output<string>;
    /** Secret. The same, at the first node's private address. */
    readonly internalKubeconfig: pulumi.Output<string>;
    /** VM of each control plane, cp-1 first. */
    readonly controlPlaneVmIds: pulumi.Output<number[]>;
    /** Private IPv4 address of each control plane, cp-1 first. */
    readonly controlPlaneAddresses: pulumi.Output<string[]>;
    readonly controlPlaneDnsName: pulumi.Output<string>;
    readonly serviceCidr: pulumi.Output<string>;
    readonly podCidr: pulumi.Output<string>;
    /** Whether the DNS name could be made. False never fails the cluster; the next `up` tries again. */
    readonly dnsConfigured: pulumi.Output<boolean>;
    /** End of validity (RFC 3339) of every certificate, by name. */
    readonly certificateExpiry: pulumi.Output<Record<string, string>>;

    /** @throws InvalidArgumentsError listing every argument that cannot be used */
    constructor(
        name: string,
        args: ExcloudK8sClusterArgs,
        options?: pulumi.ComponentResourceOptions,
    ) {
        super("excloud-k8s:index:ExcloudK8sCluster", name, {}, options);
        validateArgs(name, args);
        const child = { parent: this };
        const slots = Array.from(
            { length: args.controlPlaneCount ?? 1 },
            (_, index) => `cp-${index + 1}`,
        );
        const bootstrap = bootstrapEndpoints(args);
        const settings = settingsOf(args, bootstrap);
        const policy = issuePolicy(args);

        const registration = new ClusterRegistration(
            name,
            { bootstrap: bootstrap.server, key: registrationKey(name) },
            child,
        );
        const dnsZone = pulumi.output(args.dnsZone ?? "k8s.excloud.co.in");
        const dnsName = pulumi.interpolate`${registration.clusterName}.${dnsZone}`;
        const pki = new ClusterPki(
            name,
            { policy, given: args.certificates?.authorities ?? {} },
            child,
        );
        const values: ValueInputs = {
            settings,
            clusterId: registration.clusterId,
            clusterName: registration.clusterName,
            dnsName,
            "cert:cluster-ca": pki.authorities["cluster-ca"].certPem,
            ...pemValues(pki.certificates),
        };
        const shape = shapeOf(args);
        const sharedFiles = [
            ...renderFiles(fileSpecsFor(shape, "control-plane", "role"), values),
            ...pkiFiles(pki),
        ];
        const roleFiles = new RoleFiles(
            `${name}-control-plane`,
            {
                bootstrap: bootstrap.server,
                clusterId: registration.clusterId,
                role: "control-plane",
                slots,
                ...fileInputs(sharedFiles),
                manifest: manifestOf(sharedFiles),
            },
            { ...child, deletedWith: registration },
        );
        const context: NodeContext = {
            registration,
            bootstrap,
            pki,
            policy,
            names: pulumi
                .all([dnsName, settings, pulumi.all(args.extraSans ?? [])])
                .apply(([resolvedName, { clusterDomain, serviceClusterIp }, extraSans]) => ({
                    dnsName: resolvedName,
                    clusterDomain,
                    serviceClusterIp,
                    extraSans,
                })),
            machine: {
                zoneId: args.zoneId ?? 1,
                subnetId: args.subnetId,
                imageId: args.controlPlaneImageId,
                instanceType: args.controlPlaneInstanceType,
                allocatePublicIpv4: args.allocatePublicIpv4 ?? true,
                securityGroupIds: securityGroupIds(name, args, registration, child),
                sshPubkey: args.sshPubkey ?? "",
                rootVolumeSizeGib: args.rootVolumeSizeGib ?? 20,
                timeouts: {
                    create: args.timeouts?.vmCreate ?? 300,
                    delete: args.timeouts?.vmDelete ?? 300,
                },
            },
            shape,
            values,
            roleFiles,
        };
        const nodes = slots.map(
            (slot) =>
                new ControlPlaneNode(
                    `${name}-${slot}`,
                    slot,
                    replacementOf(slot, args.replaceNodes ?? []),
                    context,
                    child,
                ),
        );
        const addresses = nodes.map(({ address }) => address);
        const reachable = addresses.map(({ publicIpv4, privateIpv4 }) =>
            pulumi.all([publicIpv4, privateIpv4]).apply(([open, own]) => open || own),
        );
        const dns = new DnsRecord(
            name,
            {
                zoneName: dnsZone,
                type: "A",
                name: registration.clusterName,
                values: reachable,
                ttl: 60,
            },
            child,
        );
        const readiness = new ClusterReadiness(
            name,
            {
                bootstrap: bootstrap.server,
                clusterId: registration.clusterId,
                generations: Object.fromEntries(
                    nodes.map(({ bundle }, index) => [slots[index], bundle.generation]),
                ) as Record<string, pulumi.Output<string>>,
                timeout: args.timeouts?.ready ?? 1800,
            },
            { ...child, dependsOn: nodes.map(({ bundle }) => bundle) },
        );

        const kubeconfigAt = (host: pulumi.Input<string>) =>
            adminKubeconfig(registration.clusterName, host, pki, readiness);
        const firstAddress = reachable[0] as pulumi.Output<string>;
        this.clusterId = registration.clusterId;
        this.name = registration.clusterName;
        this.kubeconfig = kubeconfigAt(
            pulumi
                .all([dns.dnsConfigured, dnsName, firstAddress])
                .apply(([configured, named, address]) => (configured ? named : address)),
        );
        this.internalKubeconfig = kubeconfigAt((addresses[0] as (typeof addresses)[0]).privateIpv4);
        this.controlPlaneVmIds = pulumi.all(nodes.map(({ vmId }) => vmId.apply(Number)));
        this.controlPlaneAddresses = pulumi.all(addresses.map(({ privateIpv4 }) => privateIpv4));
        this.controlPlaneDnsName = dnsName;
        this.serviceCidr = settings.serviceCidr;
        this.podCidr = settings.podCidr;
        this.dnsConfigured = dns.dnsConfigured;
        this.certificateExpiry = certificateExpiry(pki, slots, nodes);
        this.registerOutputs({
            clusterId: this.clusterId,
            name: this.name,
            controlPlaneVmIds: this.controlPlaneVmIds,
            controlPlaneDnsName: this.controlPlaneDnsName,
            dnsConfigured: this.dnsConfigured,
        });
    }
}

/** A registration belongs to one resource of one stack, and is found again by it. */
function registrationKey(name: string): string {
    return [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack(), name].join("/");
}

function bootstrapEndpoints({ bootstrap }: ExcloudK8sClusterArgs): BootstrapEndpoints {
    const operatorUrl = pulumi.output(bootstrap.operatorUrl);
    const caPem = pulumi.output(bootstrap.caPem ?? "");
    return {
        operatorUrl,
        nodeUrl: pulumi.output(bootstrap.nodeUrl ?? operatorUrl),
        caPem,
        server: pulumi
            .all([operatorUrl, caPem])
            .apply(([url, pem]) => ({ operatorUrl: url, ...(pem ? { caPem: pem } : {}) })),
    };
}

/** The settings without what may be known later: enough to say which files there are. */
function shapeOf({ podNetwork, mirrors }: ExcloudK8sClusterArgs): ClusterSettings {
    return clusterSettings({
        ...(podNetwork ? { cni: podNetwork } : {}),
        ...(mirrors ? { mirrors } : {}),
        bootstrapServer: { url: "https://known-later", caPem: "" },
    });
}

function settingsOf(
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

function issuePolicy({ certificates = {} }: ExcloudK8sClusterArgs): IssuePolicy {
    const { keyAlgorithm = KeyAlgorithm.Ecdsa, validityDays = 365 } = certificates;
    return {
        keyAlgorithm,
        validityHours: validityDays * 24,
        renewBeforeHours: (certificates.renewBeforeDays ?? Math.min(90, validityDays - 1)) * 24,
    };
}

function securityGroupIds(
    name: string,
    args: ExcloudK8sClusterArgs,
    registration: ClusterRegistration,
    child: pulumi.CustomResourceOptions,
): pulumi.Output<number[]> {
    if (args.securityGroupIds !== undefined && args.securityGroupIds.length > 0) {
        return pulumi.all(args.securityGroupIds);
    }
    const allowed = args.apiServerAllowedCidrs ?? ["0.0.0.0/0"];
    const api = (cidr: string): [string, Rule] => [
        `api from ${cidr}`,
        { direction: "ingress", protocol: "TCPv4", portRange: String(ports.apiServer), cidr },
    ];
    const anything = { protocol: "IPv4", portRange: "ANY" };
    const group = new SecurityGroup(
        name,
        {
            name: registration.clusterName,
            description: "Kubernetes nodes",
            subnetId: args.subnetId,
            rules: {
                ...Object.fromEntries(allowed.map(api)),
                "all within the subnet": { direction: "ingress", ...anything, cidr: subnetCidr },
                "all outwards": { direction: "egress", ...anything, cidr: "0.0.0.0/0" },
            },
        },
        child,
    );
    return pulumi.all([group.id.apply(Number)]);
}

/** The PEM files that all control planes share. */
function pkiFiles(pki: ClusterPki): PlannedFile[] {
    return [
        ...authorities.map(({ name, path }) => textFile(path, pki.authorities[name].certPem)),
        ...certificateFiles(clusterCertificates, pki.certificates),
        textFile(serviceAccountFiles.publicKey, pki.serviceAccount.publicKeyPem),
        textFile(serviceAccountFiles.key, pki.serviceAccount.keyPem, { secret: true }),
    ];
}

function replacementOf(slot: string, replaceNodes: readonly string[]): Replacement {
    if (replaceNodes.length === 0) {
        return "refuse";
    }
    return replaceNodes.includes(slot) ? "allow" : "defer";
}

/**
 * The user's kubeconfig. It waits for the cluster by the readiness resource's id alone, which stays known
 * in the preview of an update, so that nothing built on it shows as changed.
 */
function adminKubeconfig(
    clusterName: pulumi.Output<string>,
    host: pulumi.Input<string>,
    pki: ClusterPki,
    readiness: ClusterReadiness,
): pulumi.Output<string> {
    const admin = pki.certificates["cluster-admin"];
    if (admin === undefined) {
        throw new Error("the list of certificates has no cluster-admin");
    }
    return pulumi.secret(
        pulumi
            .all([
                clusterName,
                host,
                pki.authorities["cluster-ca"].certPem,
                admin.certPem,
                admin.keyPem,
                readiness.id,
            ])
            .apply(([cluster, address, caPem, certPem, keyPem]) =>
                renderKubeconfig({
                    clusterName: cluster,
                    caPem,
                    server: `https://${address}:${ports.apiServer}`,
                    userName: "cluster-admin",
                    certPem,
                    keyPem,
                }),
            ),
    );
}

function certificateExpiry(
    pki: ClusterPki,
    slots: readonly string[],
    nodes: readonly ControlPlaneNode[],
): pulumi.Output<Record<string, string>> {
    const ofNodes = nodes.flatMap(({ certificates }, index) =>
        Object.entries(certificates).map(
            ([name, { notAfter }]) => [`${slots[index]}/${name}`, notAfter] as const,
        ),
    );
    const shared = Object.entries(pki.certificates).map(
        ([name, { notAfter }]) => [name, notAfter] as const,
    );
    return pulumi.output(Object.fromEntries([...shared, ...ofNodes]));
}
