/** The name of a cluster in the cloud: `exk8s-{organisation}-{cluster id in lower-case hex}`. */
export function clusterName(orgId: number, clusterId: number): string {
    return `exk8s-${orgId}-${clusterId.toString(16)}`;
}

/** The name of the node in a slot: `cp-1.cluster-{id}.internal`. */
export function nodeName(slot: string, clusterId: number): string {
    return `${slot}.cluster-${clusterId}.internal`;
}

/** The name of the VM that fills a slot: `{cluster name}-cp-1`. */
export function vmName(cluster: string, slot: string): string {
    return `${cluster}-${slot}`;
}
