import type { VirtualMachineInputs } from "../../provider/resources/virtual-machine/inputs";

/** A VM that the local cloud accepts as it is. */
export const machine = (more: Partial<VirtualMachineInputs> = {}): VirtualMachineInputs => ({
    name: "exk8s-5-2a-cp-1",
    zoneId: 1,
    projectId: 1,
    subnetId: 1,
    imageId: 1,
    instanceType: "t1a.medium",
    allocatePublicIpv4: false,
    securityGroupIds: [],
    sshPubkey: "",
    rootVolumeSizeGib: 20,
    userData: "#!/bin/sh",
    bootstrap: { operatorUrl: "https://bootstrap.example" },
    clusterId: 42,
    slot: "cp-1",
    nodeUrl: "https://bootstrap.example",
    clusterNetworks: { serviceCidr: "10.96.0.0/12", podCidr: "10.244.0.0/16" },
    replacement: "refuse",
    timeouts: { create: 20, delete: 20 },
    ...more,
});
