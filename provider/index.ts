/** The resources of the dynamic provider as programs use them, and what programs say to them. */
import { resourceOf } from "./declare-resource";
import type { bootstrapServerReadiness } from "./resources/bootstrap-server-readiness";
import type { clusterReadiness } from "./resources/cluster-readiness";
import type { clusterRegistration } from "./resources/cluster-registration";
import type { dnsRecord } from "./resources/dns-record";
import type { imageBuilder } from "./resources/image-builder";
import type { imageSlot } from "./resources/image-slot";
import type { machineImage } from "./resources/machine-image";
import type { nodeAddress } from "./resources/node-address";
import type { nodeBundle } from "./resources/node-bundle";
import type { nodeSlot } from "./resources/node-slot";
import type { randomBytes } from "./resources/random-bytes";
import type { roleFiles } from "./resources/role-files";
import type { securityGroup } from "./resources/security-group";
import type { virtualMachine } from "./resources/virtual-machine/handler";

export { find } from "./credentials";
export { isLoopbackAddress, isLoopbackUrl, networksOverlap } from "./network";
export { subnetCidr, type Rule } from "./resources/security-group-rules";
export type { Replacement } from "./resources/virtual-machine/inputs";

/** Names that collide: the old thing must be gone before the new one is made, whoever asks for the replacement. */
const uniquelyNamed = { deleteBeforeReplace: true } as const;
/** A preview shows the files themselves; their digests say nothing more. */
const showingFiles = { hideDiffs: ["manifest", "roleManifest"] };
/** The old one stays until the new one is there: a bake that fails leaves what there was. */
const keptUntilReplaced = { deleteBeforeReplace: false } as const;
const secretUserData = { additionalSecretOutputs: ["userData"] };

/** A cluster's identity. */
export const ClusterRegistration = resourceOf<typeof clusterRegistration>()("ClusterRegistration", [
    "clusterId",
    "clusterName",
    "orgId",
    "verifierMode",
]);
export type ClusterRegistration = InstanceType<typeof ClusterRegistration>;

/** A security group with its rules. */
export const SecurityGroup = resourceOf<typeof securityGroup>()("SecurityGroup", [], uniquelyNamed);

/** The files that all nodes of a pool share; the name is older than pools. Its `manifest` is known in previews. */
export const RoleFiles = resourceOf<typeof roleFiles>()("RoleFiles", ["manifest"], showingFiles);
export type RoleFiles = InstanceType<typeof RoleFiles>;

/** A place for a node, and the secret by which its VM proves itself. */
export const NodeSlot = resourceOf<typeof nodeSlot>()("NodeSlot", ["slotSecret"], {
    additionalSecretOutputs: ["slotSecret"],
});
export type NodeSlot = InstanceType<typeof NodeSlot>;

/** A virtual machine. */
export const VirtualMachine = resourceOf<typeof virtualMachine>()("VirtualMachine", [], {
    ...secretUserData,
    ...uniquelyNamed,
});

/** The addresses of a VM. */
export const NodeAddress = resourceOf<typeof nodeAddress>()("NodeAddress", [
    "privateIpv4",
    "privateIpv6",
    "publicIpv4",
]);
export type NodeAddress = InstanceType<typeof NodeAddress>;

/** What one node is to be. Its `generation` is what the node reports as applied; known in previews. */
export const NodeBundle = resourceOf<typeof nodeBundle>()(
    "NodeBundle",
    ["generation"],
    showingFiles,
);
export type NodeBundle = InstanceType<typeof NodeBundle>;

/** A DNS name for the control planes. */
export const DnsRecord = resourceOf<typeof dnsRecord>()(
    "DnsRecord",
    ["dnsConfigured", "reason"],
    uniquelyNamed,
);

/** Ends when the cluster works. */
export const ClusterReadiness = resourceOf<typeof clusterReadiness>()("ClusterReadiness");
export type ClusterReadiness = InstanceType<typeof ClusterReadiness>;

/** Ends when a bootstrap server can serve. */
export const BootstrapServerReadiness = resourceOf<typeof bootstrapServerReadiness>()(
    "BootstrapServerReadiness",
);

/** The name under which an image is made. */
export const ImageSlot = resourceOf<typeof imageSlot>()("ImageSlot", [], keptUntilReplaced);

/** The VM on which an image is made. */
export const ImageBuilder = resourceOf<typeof imageBuilder>()("ImageBuilder", ["host"], {
    ...secretUserData,
    ...keptUntilReplaced,
});

/** A machine image. */
export const MachineImage = resourceOf<typeof machineImage>()(
    "MachineImage",
    ["imageId"],
    keptUntilReplaced,
);

/** Random bytes, drawn once: a new secret of a cluster. */
export const RandomBytes = resourceOf<typeof randomBytes>()("RandomBytes", ["hex"], {
    additionalSecretOutputs: ["hex"],
});
