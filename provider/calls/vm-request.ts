/** What a VM is asked for by, in the words of inputs. */
export interface NewVm {
    /** Deterministic: it is how a leftover of an interrupted creation is found again. */
    name: string;
    zoneId: number;
    projectId: number;
    subnetId: number;
    imageId: number;
    instanceType: string;
    allocatePublicIpv4: boolean;
    securityGroupIds: number[];
    rootVolumeSizeGib: number;
    /** Secret. Used when the VM is created. */
    userData: string;
}

/** The request that creates a VM. */
export const vmRequest = (inputs: NewVm) => ({
    name: inputs.name,
    zone_id: inputs.zoneId,
    project_id: inputs.projectId,
    subnet_id: inputs.subnetId,
    image_id: inputs.imageId,
    instance_type: inputs.instanceType,
    allocate_public_ipv4: inputs.allocatePublicIpv4,
    security_group_ids: inputs.securityGroupIds,
    root_volume: { size_gib: inputs.rootVolumeSizeGib, zone_id: inputs.zoneId },
    user_data: inputs.userData,
});
