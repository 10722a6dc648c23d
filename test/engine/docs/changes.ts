import type { Bench } from "../cluster/harness";

/** A change of a cluster of three control planes, and the command that previews it. */
export interface Change {
    readonly title: string;
    /** What a reader is to see in it. */
    readonly about: string;
    /** The arguments that change, as a program has them. */
    readonly program?: string;
    /** The same for the quickstart, as `key=value`. */
    readonly settings?: readonly string[];
    /** What somebody does behind the program's back. */
    readonly behind?: (bench: Bench) => Promise<void>;
    readonly flags?: readonly string[];
    readonly isRefused?: true;
}

/** Previewed before there is a cluster. */
export const creation: Change = {
    title: "A new cluster",
    about: "Every resource of every node is listed before anything is made. Wrong arguments end here, all faults together.",
};

/** Previewed on a running cluster, each from the same arguments. */
export const changes: readonly Change[] = [
    {
        title: "A flag of the API server",
        about: "One line of one file on each node. No VM is touched: an agent on each node applies it, one control plane at a time, and `pulumi up` ends when all have reported it.",
        program: `apiServerExtraArgs: { "goaway-chance": "0.001" }`,
        settings: ["apiServerExtraArgs.goaway-chance=0.001"],
        flags: ["--diff"],
    },
    {
        title: "A setting of the kubelet",
        about: "The file is the same on all control planes, so it is shown once; each node's generation changes with it.",
        program: "kubeletConfiguration: { maxPods: 60 }",
        settings: ["kubeletConfiguration.maxPods=60"],
        flags: ["--diff"],
    },
    {
        title: "Who may reach the API server",
        about: "A rule of the security group, in place.",
        program: `apiServerAllowedCidrs: ["10.0.0.0/8"]`,
        settings: ["apiServerAllowedCidrs[0]=10.0.0.0/8"],
        flags: ["--diff"],
    },
    {
        title: "Another image",
        about: "A control plane is never replaced by surprise: the change is refused, and the message names the way.",
        program: "controlPlaneImageId: 2",
        settings: ["controlPlaneImageId=2"],
        isRefused: true,
    },
    {
        title: "Another image, one node at a time",
        about: "`replaceNodes` names the node; the others wait for their own turn. The old VM goes before the new one comes, as both have the same name. Of the other nodes nothing changes.",
        program: `controlPlaneImageId: 2, replaceNodes: ["cp-2"]`,
        settings: ["controlPlaneImageId=2", "replaceNodes[0]=cp-2"],
    },
    {
        title: "A rule that somebody took away by hand",
        about: "With `--refresh` the preview looks first; `pulumi up --refresh` puts it back.",
        behind: async ({ cloud }) => {
            const [group] = await cloud("securityGroupList");
            const rules = await cloud("ruleList", { security_group_id: group!.id });
            const api = rules.find((rule) => rule.port_range === "6443");
            await cloud("ruleDelete", { security_group_rule_id: api!.id });
        },
        flags: ["--refresh"],
    },
];
