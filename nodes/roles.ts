import type { Phase } from "../contract/phases";
import type { Role } from "../contract/roles";
import { type ProgramName, programs } from "./programs";

/** What nodes of a role are: what the lists of files, actions and downloads are derived from. */
export interface RoleSpec {
    /** The phases of its boot, each a function `NAME_phase` of the bootstrap script. */
    readonly boot: readonly Phase[];
    /** Label that the boot puts on the node, as a kubelet may not do so itself. */
    readonly label?: string;
    /** What runs on it. */
    readonly runs: readonly ProgramName[];
}

export const roleSpecs: Readonly<Record<Role, RoleSpec>> = {
    "control-plane": {
        boot: ["install", "etcd", "kubelet", "apiserver", "node-ready"],
        label: "node-role.kubernetes.io/control-plane",
        runs: programs.map(({ name }) => name),
    },
    // No cluster has workers yet: their certificates, and a boot without etcd, come with the first pool of them.
    worker: {
        boot: ["install", "kubelet", "node-ready"],
        runs: [
            "machine",
            "installer",
            "containerd",
            "kubelet",
            "balancer",
            "imds-guard",
            "bootstrap",
            "node-agent",
        ],
    },
};

/** The programs of a role, in the order in which changes are acted on. */
export function programsOf(role: Role) {
    return programs.filter(({ name }) => roleSpecs[role].runs.includes(name));
}
