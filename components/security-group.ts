import * as pulumi from "@pulumi/pulumi";

import { ports } from "../nodes";
import { type ClusterRegistration, SecurityGroup, subnetCidr } from "../provider";
import type { ExcloudK8sClusterArgs } from "./cluster-args";
import { allOutwards, everythingFrom, tcpFrom } from "./group-rules";

/**
 * The security groups of the nodes: the user's own, or one that lets the API server be reached from the
 * allowed ranges and everything within the subnet.
 */
export function securityGroupIds(
    name: string,
    args: ExcloudK8sClusterArgs,
    registration: ClusterRegistration,
    child: pulumi.CustomResourceOptions,
): pulumi.Output<number[]> {
    if (args.securityGroupIds !== undefined && args.securityGroupIds.length > 0) {
        return pulumi.all(args.securityGroupIds);
    }
    const allowed = args.apiServerAllowedCidrs ?? ["0.0.0.0/0"];
    const group = new SecurityGroup(
        name,
        {
            name: registration.clusterName,
            description: "Kubernetes nodes",
            subnetId: args.subnetId,
            rules: {
                ...tcpFrom("api", ports.apiServer, allowed),
                "all within the subnet": everythingFrom(subnetCidr),
                ...allOutwards,
            },
            ...(args.adopt?.securityGroupId === undefined
                ? {}
                : { adoptSecurityGroupId: args.adopt.securityGroupId }),
            timeouts: { delete: args.timeouts?.vmDelete ?? 300 },
        },
        child,
    );
    return pulumi.all([group.id.apply(Number)]);
}
