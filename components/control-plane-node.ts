import * as pulumi from "@pulumi/pulumi";

import { nodeName as nodeNameOf, vmName as vmNameOf } from "../contract/names";
import { controlPlanePool, roleOf } from "../contract/pools";
import {
    type ClusterNames,
    type ClusterSettings,
    type NodeCertificateName,
    nodeCertificates,
    nodeFilesFor,
    type NodeNames,
    renderUserData,
} from "../nodes";
import {
    type ClusterRegistration,
    NodeAddress,
    NodeBundle,
    NodeSlot,
    type Replacement,
    type RoleFiles,
    VirtualMachine,
} from "../provider";
import {
    fileInputs,
    manifestOf,
    type PlannedFile,
    renderFiles,
    textFile,
    type ValueInputs,
} from "./files";
import type { ClusterPki } from "./pki/cluster-pki";
import { issue, type IssuePolicy, type KeyPair } from "./pki/issue";

const role = roleOf(controlPlanePool);

/** The VM's shape and place, as the cluster's arguments give them. */
export interface MachineArgs {
    zoneId: pulumi.Input<number>;
    subnetId: pulumi.Input<number>;
    imageId: pulumi.Input<number>;
    instanceType: pulumi.Input<string>;
    allocatePublicIpv4: pulumi.Input<boolean>;
    securityGroupIds: pulumi.Output<number[]>;
    sshPubkey: pulumi.Input<string>;
    rootVolumeSizeGib: pulumi.Input<number>;
    clusterNetworks: { serviceCidr: pulumi.Input<string>; podCidr: pulumi.Input<string> };
    timeouts: { create: number; delete: number };
}

/** What one node is given apart from the others. */
export interface NodeArgs {
    replacement: Replacement;
    replaceWithoutQuorum?: boolean;
    adoptVmId?: number;
}

/** How nodes and operators reach the bootstrap server. */
export interface BootstrapEndpoints {
    nodeUrl: pulumi.Output<string>;
    /** `""` when a public authority signed the server's certificate. */
    caPem: pulumi.Output<string>;
    /** As the resources of the provider take it. */
    server: pulumi.Input<{ operatorUrl: string; caPem?: string }>;
}

/** What all nodes of a cluster have in common. */
export interface NodeContext {
    registration: ClusterRegistration;
    bootstrap: BootstrapEndpoints;
    pki: ClusterPki;
    policy: IssuePolicy;
    names: pulumi.Output<ClusterNames>;
    machine: MachineArgs;
    /** The settings that decide which files there are; plain. */
    shape: ClusterSettings;
    values: ValueInputs;
    /** The files of the node's role: its bundle is put after them. */
    roleFiles: RoleFiles;
}

/**
 * One control plane: its slot at the bootstrap server, its VM, its certificates and its bundle. Nothing
 * here depends on another node.
 */
export class ControlPlaneNode extends pulumi.ComponentResource {
    /** Short name, `cp-1`. */
    readonly slot: string;
    readonly address: NodeAddress;
    /** The public address where there is one, else the private one. */
    readonly reachableAddress: pulumi.Output<string>;
    readonly vmId: pulumi.Output<string>;
    readonly bundle: NodeBundle;
    /** By the certificate's name. */
    readonly certificates: Readonly<Record<NodeCertificateName, KeyPair>>;

    constructor(
        name: string,
        slot: string,
        own: NodeArgs,
        context: NodeContext,
        options: pulumi.ComponentResourceOptions,
    ) {
        super("excloud-k8s:index:ControlPlaneNode", name, {}, options);
        this.slot = slot;
        const { registration, bootstrap } = context;
        const child = { parent: this };
        const nodeName = registration.clusterId.apply((clusterId) => nodeNameOf(slot, clusterId));
        const vmName = registration.clusterName.apply((cluster) => vmNameOf(cluster, slot));

        const nodeSlot = new NodeSlot(
            name,
            {
                bootstrap: bootstrap.server,
                clusterId: registration.clusterId,
                slot,
                role,
                nodeName,
                vmName,
                timeouts: { delete: context.machine.timeouts.delete },
            },
            child,
        );
        const vm = new VirtualMachine(
            name,
            {
                name: vmName,
                projectId: 1,
                ...context.machine,
                userData: userDataOf(nodeSlot, context),
                bootstrap: bootstrap.server,
                clusterId: registration.clusterId,
                slot,
                nodeUrl: bootstrap.nodeUrl,
                ...own,
            },
            child,
        );
        this.vmId = vm.id;
        this.address = new NodeAddress(name, { vmId: vm.id }, { ...child, deletedWith: vm });
        const { privateIpv4, privateIpv6, publicIpv4 } = this.address;
        this.reachableAddress = pulumi
            .all([publicIpv4, privateIpv4])
            .apply(([open, inside]) => open || inside);
        const names = { nodeName, privateIpv4, privateIpv6, publicIpv4 };
        this.certificates = issueNodeCertificates(name, names, context, child);

        const files = [
            ...renderFiles(nodeFilesFor(context.shape, role, "node"), {
                ...context.values,
                ...names,
                role,
                ...pemValues(this.certificates),
            }),
            ...certificateFiles(nodeCertificates, this.certificates),
        ];
        this.bundle = new NodeBundle(
            name,
            {
                bootstrap: bootstrap.server,
                clusterId: registration.clusterId,
                slot,
                vmId: vm.id,
                address: privateIpv4,
                ...fileInputs(files),
                manifest: manifestOf(files),
                roleManifest: context.roleFiles.manifest,
            },
            // It ends with its slot. A node that lost its bundle while its own deletion fails would not come back.
            { ...child, dependsOn: [nodeSlot, context.roleFiles], deletedWith: vm },
        );
        this.registerOutputs({});
    }
}

function userDataOf(
    slot: NodeSlot,
    { registration, bootstrap, shape }: NodeContext,
): pulumi.Output<string> {
    const { packages } = shape.mirrors;
    return pulumi
        .all([bootstrap.nodeUrl, bootstrap.caPem, slot.slotSecret, registration.verifierMode])
        .apply(([bootstrapUrl, bootstrapCaPem, slotSecret, mode]) =>
            renderUserData({
                bootstrapUrl,
                bootstrapCaPem,
                slotSecret,
                role,
                verifierMode: mode,
                ...(packages === "" ? {} : { packageMirror: packages }),
            }),
        );
}

function issueNodeCertificates(
    name: string,
    own: { [K in keyof NodeNames]: pulumi.Output<string> },
    { pki, policy, names }: NodeContext,
    child: pulumi.CustomResourceOptions,
): Record<NodeCertificateName, KeyPair> {
    const node: pulumi.Output<NodeNames> = pulumi.output(own);
    return Object.fromEntries(
        nodeCertificates.map((certificate) => {
            const { authority, organization, usages, commonName, subjectAltNames } = certificate;
            const request = {
                commonName: own.nodeName.apply(commonName),
                organization,
                usages,
                ...(subjectAltNames
                    ? {
                          subjectAltNames: pulumi
                              .all([node, names])
                              .apply(([ofNode, ofCluster]) => subjectAltNames(ofNode, ofCluster)),
                      }
                    : {}),
            };
            const issued = issue(
                `${name}-${certificate.name}`,
                pki.authorities[authority],
                policy,
                request,
                child,
            );
            return [certificate.name, issued];
        }),
    ) as Record<NodeCertificateName, KeyPair>;
}

/** Certificates under the names by which templates ask for them. */
export function pemValues(certificates: Readonly<Record<string, KeyPair>>): ValueInputs {
    return Object.fromEntries(
        Object.entries(certificates).flatMap(([name, { certPem, keyPem }]) => [
            [`cert:${name}`, certPem],
            [`key:${name}`, keyPem],
        ]),
    );
}

/** The PEM files of certificates that are files of their own on nodes. */
export function certificateFiles<Name extends string>(
    specs: readonly {
        name: Name;
        files?: { certificate: string; key: string; owner: string };
    }[],
    certificates: Readonly<Record<Name, KeyPair>>,
): PlannedFile[] {
    return specs.flatMap(({ name, files }) => {
        const pair = certificates[name];
        return files
            ? [
                  textFile(files.certificate, pair.certPem),
                  textFile(files.key, pair.keyPem, { secret: true, owner: files.owner }),
              ]
            : [];
    });
}
