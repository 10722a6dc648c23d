/**
 * The entry that every state file names: `require("excloud-k8s/provider/v1").<Type>`. Its path, the
 * names below and the properties they accept are an interface for ever.
 */
import { adapt } from "./adapter";
import { bootstrapServerReadiness } from "./resources/bootstrap-server-readiness";
import { clusterReadiness } from "./resources/cluster-readiness";
import { clusterRegistration } from "./resources/cluster-registration";
import { dnsRecord } from "./resources/dns-record";
import { imageBuilder } from "./resources/image-builder";
import { imageSlot } from "./resources/image-slot";
import { machineImage } from "./resources/machine-image";
import { nodeAddress } from "./resources/node-address";
import { nodeBundle } from "./resources/node-bundle";
import { nodeSlot } from "./resources/node-slot";
import { randomBytes } from "./resources/random-bytes";
import { roleFiles } from "./resources/role-files";
import { securityGroup } from "./resources/security-group";
import { virtualMachine } from "./resources/virtual-machine/handler";

export const ClusterRegistration = adapt(clusterRegistration);
export const SecurityGroup = adapt(securityGroup);
export const RoleFiles = adapt(roleFiles);
export const NodeSlot = adapt(nodeSlot);
export const VirtualMachine = adapt(virtualMachine);
export const NodeAddress = adapt(nodeAddress);
export const NodeBundle = adapt(nodeBundle);
export const DnsRecord = adapt(dnsRecord);
export const ClusterReadiness = adapt(clusterReadiness);
export const BootstrapServerReadiness = adapt(bootstrapServerReadiness);
export const ImageSlot = adapt(imageSlot);
export const ImageBuilder = adapt(imageBuilder);
export const MachineImage = adapt(machineImage);
export const RandomBytes = adapt(randomBytes);
