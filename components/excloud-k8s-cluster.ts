import * as pulumi from "@pulumi/pulumi";

import { controlPlanePool, roleOf } from "../contract/pools";
import {
    authorities,
    clusterCertificates,
    type ClusterSettings,
    nodeFilesFor,
    serviceAccountFiles,
} from "../nodes";
import {
    ClusterReadiness,
    ClusterRegistration,
    DnsRecord,
    type Replacement,
    RoleFiles,
} from "../provider";
import { adminKubeconfig } from "./admin-kubeconfig";
import type { ExcloudK8sClusterArgs } from "./cluster-args";
import { bootstrapEndpoints, issuePolicy, settingsOf, shapeOf } from "./cluster-settings";
import {
    certificateFiles,
    ControlPlaneNode,
    type NodeArgs,
    type NodeContext,
    pemValues,
} from "./control-plane-node";
import { validateArgs } from "./fields";
import {
    fileInputs,
    manifestOf,
    type PlannedFile,
    renderFiles,
    textFile,
    type ValueInputs,
} from "./files";
import { ClusterPki } from "./pki/cluster-pki";
import type { KeyPair } from "./pki/issue";
import { securityGroupIds } from "./security-group";
import { controlPlaneSlots } from "./slots";

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
    /** Name in the cloud: `exk8s-{organisation}-{cluster id in hex}`. */
    readonly name: pulumi.Output<string>;
    /** Secret. For administrators, at the DNS name, or at the first node's address when DNS is not configured. Given when the cluster is ready. */
    readonly kubeconfig: pulumi.Output<string>;
    /** Secret. The same, at the first node's private address. */
    readonly internalKubeconfig: pulumi.Output<string>;
    /** VM of each control plane, cp-1 first. */
    readonly controlPlaneVmIds: pulumi.Output<number[]>;
    /** Private IPv4 address of each control plane, cp-1 first. */
    readonly controlPlaneAddresses: pulumi.Output<string[]>;
    /** Name of the API in `dnsZone`; there is one only when `dnsConfigured`. */
    readonly controlPlaneDnsName: pulumi.Output<string>;
    /** IPv4 network of Services. */
    readonly serviceCidr: pulumi.Output<string>;
    /** IPv4 network of pods. */
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
        args = validateArgs(name, args);
        const child = { parent: this };
        const slots = controlPlaneSlots(args);
        const bootstrap = bootstrapEndpoints(args);
        const settings = settingsOf(args, bootstrap);
        const policy = issuePolicy(args);
        const shape = shapeOf(args);

        const dnsZone = pulumi.output(args.dnsZone ?? "k8s.excloud.co.in");
        const registration = new ClusterRegistration(
            name,
            { bootstrap: bootstrap.server, key: registrationKey(name), dnsZone },
            child,
        );
        const dnsName = pulumi.interpolate`${registration.clusterName}.${dnsZone}`;
        const given = args.certificates?.authorities ?? {};
        const pki = new ClusterPki(name, { policy, given }, child);
        const values: ValueInputs = {
            settings,
            clusterId: registration.clusterId,
            clusterName: registration.clusterName,
            dnsName,
            role: roleOf(controlPlanePool),
            "cert:cluster-ca": pki.authorities["cluster-ca"].certPem,
            ...pemValues(pki.certificates),
        };
        const sharedFiles = controlPlaneFiles(shape, values, pki);
        const roleFiles = new RoleFiles(
            `${name}-control-plane`,
            {
                bootstrap: bootstrap.server,
                clusterId: registration.clusterId,
                pool: controlPlanePool,
                role: roleOf(controlPlanePool),
                slots,
                ...fileInputs(sharedFiles),
                manifest: manifestOf(sharedFiles),
            },
            child,
        );
        const context: NodeContext = {
            registration,
            bootstrap,
            pki,
            policy,
            names: certificateNames(args, dnsName, settings),
            machine: machineArgs(args, settings, securityGroupIds(name, args, registration, child)),
            shape,
            values,
            roleFiles,
        };
        const nodes = slots.map((slot) => {
            return new ControlPlaneNode(
                `${name}-${slot}`,
                slot,
                ofNode(slot, args),
                context,
                child,
            );
        });
        const reachable = nodes.map((node) => node.reachableAddress);
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
                    nodes.map(({ slot, bundle }) => [slot, bundle.generation]),
                ),
                timeout: args.timeouts?.ready ?? 1800,
                ...(args.deletionProtection ? { deletionProtection: true } : {}),
            },
            // On everything, so that it is the first to be deleted, which it may refuse.
            { ...child, dependsOn: [pki, dns, ...nodes.map(({ bundle }) => bundle)] },
        );

        const kubeconfigAt = (host: pulumi.Output<string>) =>
            adminKubeconfig(registration.clusterName, host, pki, readiness);
        const [first] = nodes as [ControlPlaneNode];
        const publicHost = pulumi
            .all([dns.dnsConfigured, dnsName, first.reachableAddress])
            .apply(([configured, named, address]) => (configured ? named : address));
        this.clusterId = registration.clusterId;
        this.name = registration.clusterName;
        this.kubeconfig = kubeconfigAt(publicHost);
        this.internalKubeconfig = kubeconfigAt(first.address.privateIpv4);
        this.controlPlaneVmIds = pulumi.all(nodes.map(({ vmId }) => vmId.apply(Number)));
        this.controlPlaneAddresses = pulumi.all(nodes.map(({ address }) => address.privateIpv4));
        this.controlPlaneDnsName = dnsName;
        this.serviceCidr = settings.serviceCidr;
        this.podCidr = settings.podCidr;
        this.dnsConfigured = dns.dnsConfigured;
        this.certificateExpiry = certificateExpiry(pki, nodes);
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

/** The files that all control planes share: rendered ones, and keys and certificates. */
function controlPlaneFiles(
    shape: ClusterSettings,
    values: ValueInputs,
    pki: ClusterPki,
): PlannedFile[] {
    return [
        ...renderFiles(nodeFilesFor(shape, "control-plane", "role"), values),
        ...authorities.map(({ name, path }) => textFile(path, pki.authorities[name].certPem)),
        ...certificateFiles(clusterCertificates, pki.certificates),
        textFile(serviceAccountFiles.publicKey, pki.serviceAccount.publicKeyPem),
        textFile(serviceAccountFiles.key, pki.serviceAccount.keyPem, { secret: true }),
    ];
}

function certificateNames(
    { extraSans = [] }: ExcloudK8sClusterArgs,
    dnsName: pulumi.Output<string>,
    settings: pulumi.Output<ClusterSettings>,
): NodeContext["names"] {
    return pulumi
        .all([dnsName, settings, pulumi.all(extraSans)])
        .apply(([name, { clusterDomain, serviceClusterIp }, sans]) => ({
            dnsName: name,
            clusterDomain,
            serviceClusterIp,
            extraSans: sans,
        }));
}

/** The shape and place of the VMs, with the arguments' defaults. */
function machineArgs(
    args: ExcloudK8sClusterArgs,
    { serviceCidr, podCidr }: pulumi.Output<ClusterSettings>,
    groups: pulumi.Output<number[]>,
): NodeContext["machine"] {
    return {
        zoneId: args.zoneId ?? 1,
        subnetId: args.subnetId,
        imageId: args.controlPlaneImageId,
        instanceType: args.controlPlaneInstanceType,
        allocatePublicIpv4: args.allocatePublicIpv4 ?? true,
        securityGroupIds: groups,
        sshPubkey: args.sshPubkey ?? "",
        rootVolumeSizeGib: args.rootVolumeSizeGib ?? 20,
        clusterNetworks: { serviceCidr, podCidr },
        timeouts: {
            create: args.timeouts?.vmCreate ?? 300,
            delete: args.timeouts?.vmDelete ?? 300,
        },
    };
}

function ofNode(slot: string, args: ExcloudK8sClusterArgs): NodeArgs {
    const adopted = args.adopt?.controlPlaneVmIds?.[slot];
    return {
        replacement: replacementOf(slot, args.replaceNodes ?? []),
        ...(args.replaceWithoutQuorum ? { replaceWithoutQuorum: true } : {}),
        ...(adopted === undefined ? {} : { adoptVmId: adopted }),
    };
}

/** With `replaceNodes`, only the listed nodes change what a replacement must change; the others wait. */
function replacementOf(slot: string, replaceNodes: readonly string[]): Replacement {
    if (replaceNodes.length === 0) {
        return "refuse";
    }
    return replaceNodes.includes(slot) ? "allow" : "defer";
}

function certificateExpiry(
    pki: ClusterPki,
    nodes: readonly ControlPlaneNode[],
): pulumi.Output<Record<string, string>> {
    const ends = (prefix: string, certificates: Readonly<Record<string, KeyPair>>) =>
        Object.entries(certificates).map(([name, { notAfter }]) => [prefix + name, notAfter]);
    return pulumi.output(
        Object.fromEntries([
            ...ends("", pki.certificates),
            ...nodes.flatMap(({ slot, certificates }) => ends(`${slot}/`, certificates)),
        ]) as Record<string, pulumi.Output<string>>,
    );
}
