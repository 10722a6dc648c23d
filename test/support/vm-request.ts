import type { operations, RequestOf } from "excloud-k8s/api";

/** A request that makes a VM on the local cloud, with what is wanted otherwise. */
export const vmRequest = <More extends Partial<RequestOf<(typeof operations)["vmCreate"]>>>(
    more: More,
) => ({
    name: "vm-1",
    zone_id: 1,
    project_id: 1,
    subnet_id: 1,
    image_id: 1,
    instance_type: "t1a.medium",
    allocate_public_ipv4: false,
    ...more,
});
