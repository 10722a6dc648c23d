import type { Program } from "../program";
import type { Values } from "../values/values";
import type { Minor } from "../versions";
import { addons } from "./addons";
import { balancer } from "./balancer";
import { bootstrap } from "./bootstrap";
import { containerd } from "./containerd";
import { coredns } from "./coredns";
import { etcd } from "./etcd";
import { imdsGuard } from "./imds-guard";
import { installer } from "./installer";
import { kubeApiServer } from "./kube-apiserver";
import { kubeControllerManager } from "./kube-controller-manager";
import { kubeProxy } from "./kube-proxy";
import { kubeScheduler } from "./kube-scheduler";
import { kubelet } from "./kubelet";
import { machine } from "./machine";
import { nodeAgent } from "./node-agent";

/**
 * Everything that runs on nodes, in the order in which a change of it is acted on: the API server is renewed
 * before the kubelet, which must not be newer than it, and etcd before the API server, which needs it.
 */
export const programs = [
    machine,
    installer,
    containerd,
    etcd,
    kubeApiServer,
    kubeControllerManager,
    kubeScheduler,
    kubelet,
    balancer,
    kubeProxy,
    imdsGuard,
    coredns,
    addons,
    bootstrap,
    nodeAgent,
] as const;

const programOf = (name: ProgramName): Program => programs.find((one) => one.name === name)!;

/** The flags that a program is started with; none where it takes no flags of ours. */
export function commandLineOf(name: ProgramName, values: Values): string[] {
    return programOf(name).commandLine?.(values) ?? [];
}

/** Flags that a program no longer has in a minor of Kubernetes, and ends at its start when given. */
export function removedFlagsOf(name: ProgramName, minor: Minor): readonly string[] {
    return programOf(name).extraArgs?.removed[minor] ?? [];
}

export type ProgramName = (typeof programs)[number]["name"];
