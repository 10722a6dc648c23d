import * as pulumi from "@pulumi/pulumi";

import { subnetCidr, type Rule } from "../provider/handlers/security-group";
import { SecurityGroup, type ClusterRegistration } from "../provider/resources";
import { ports } from "../templates";
import type { ExcloudK8sClusterArgs } from "./cluster-args";

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
    const api = (cidr: string): [string, Rule] => [
        `api from ${cidr}`,
        { direction: "ingress", protocol: "TCPv4", portRange: String(ports.apiServer), cidr },
    ];
    const anything = { protocol: "IPv4", portRange: "ANY" };
    const group = new SecurityGroup(
        name,
        {
            name: registration.clusterName,
            description: "Kubernetes nodes",
            subnetId: args.subnetId,
            rules: {
                ...Object.fromEntries(allowed.map(api)),
                "all within the subnet": { direction: "ingress", ...anything, cidr: subnetCidr },
                "all outwards": { direction: "egress", ...anything, cidr: "0.0.0.0/0" },
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
