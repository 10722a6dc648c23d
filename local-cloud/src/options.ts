import type { LifecycleDelays } from "./lifecycle";
import type { NodeDelays } from "./nodes/node";

/** How long things take, in milliseconds. Short by default: nothing real is being waited for. */
export interface Delays extends LifecycleDelays, NodeDelays {}

export const defaultDelays: Delays = {
    creating: 300,
    starting: 500,
    stopping: 300,
    restarting: 500,
    terminating: 300,
    poll: 500,
    phase: 100,
    agent: 1000,
};

/** What real nodes are made from. */
export interface RealNodesOptions {
    /** Number of the network that this process is in. */
    readonly network: number;
    /** Folder with the machine image, the mirror's files and the registry's store. */
    readonly artifacts: string;
}

/** How to start a local cloud. */
export interface LocalCloudOptions {
    /** The folder that holds all state; made when it does not exist. Starting on it again takes up what is in it. */
    readonly dir: string;
    /** Ports on 127.0.0.1; a free one for each that is not given. */
    readonly ports?: Partial<Record<"compute" | "dns" | "iam" | "imds", number>>;
    /** The operator's API key; by default the one in the folder, or a new one. */
    readonly apiKey?: string;
    /** The organisation that owns everything; 5 by default. */
    readonly orgId?: number;
    /** DNS zones of a new cloud; `["k8s.excloud.co.in"]` by default. */
    readonly dnsZones?: readonly string[];
    /**
     * `simulated` (default, Linux only): running VMs behave as nodes. `none`: they only exist. Real
     * nodes need a process in their network: see `superviseRealCloud`.
     */
    readonly nodes?: "simulated" | "none" | RealNodesOptions;
    readonly delays?: Partial<Delays>;
    /** How long tokens of VMs are valid; 6 hours by default. */
    readonly tokenLifetimeMs?: number;
}
