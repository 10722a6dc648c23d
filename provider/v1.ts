/**
 * The entry that every state file names: `require("excloud-k8s/provider/v1").<Type>`. Its path, the
 * names below and the properties they accept are an interface for ever.
 */
import { adapt } from "./adapter";
import { bootstrapServerReadiness } from "./handlers/bootstrap-server-readiness";
import { clusterReadiness } from "./handlers/cluster-readiness";
import { clusterRegistration } from "./handlers/cluster-registration";
import { dnsRecord } from "./handlers/dns-record";
import { imageBuilder } from "./handlers/image-builder";
import { imageSlot } from "./handlers/image-slot";
import { machineImage } from "./handlers/machine-image";
import { nodeAddress } from "./handlers/node-address";
import { nodeBundle } from "./handlers/node-bundle";
import { nodeSlot } from "./handlers/node-slot";
import { roleFiles } from "./handlers/role-files";
import { securityGroup } from "./handlers/security-group";
import { virtualMachine } from "./handlers/virtual-machine";

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
