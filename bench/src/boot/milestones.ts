import { setTimeout as sleep } from "node:timers/promises";

import { Agent, request } from "undici";
import { parse } from "yaml";

/** What is waited for on both contestants, in the words of the report. */
export type Milestone = "API ready" | "node Ready" | "kube-proxy ready" | "CoreDNS ready";

/** How the API server says that a milestone is reached. */
interface Sign {
    readonly path: string;
    readonly isThere: (answer: unknown) => boolean;
}

interface Conditions {
    status?: { conditions?: { type: string; status: string }[] };
}
interface DaemonSet {
    status?: { desiredNumberScheduled?: number; numberReady?: number };
}
interface Deployment {
    spec: { replicas: number };
    status?: { readyReplicas?: number };
}

const apps = "/apis/apps/v1/namespaces/kube-system";

const signs: Readonly<Record<Milestone, Sign>> = {
    "API ready": { path: "/readyz", isThere: () => true },
    "node Ready": {
        path: "/api/v1/nodes",
        isThere: (answer) => {
            const { items } = answer as { items: Conditions[] };
            const isReady = ({ status }: Conditions) =>
                status?.conditions?.some((one) => one.type === "Ready" && one.status === "True");
            return items.length > 0 && items.every(isReady);
        },
    },
    "kube-proxy ready": {
        path: `${apps}/daemonsets/kube-proxy`,
        isThere: (answer) => {
            const { desiredNumberScheduled = 0, numberReady = 0 } =
                (answer as DaemonSet).status ?? {};
            return desiredNumberScheduled > 0 && numberReady === desiredNumberScheduled;
        },
    },
    "CoreDNS ready": {
        path: `${apps}/deployments/coredns`,
        isThere: (answer) => {
            const { spec, status } = answer as Deployment;
            return status?.readyReplicas === spec.replicas;
        },
    },
};

export const milestones = Object.keys(signs) as Milestone[];

/** Two polls of a watcher: often enough for the figures, seldom enough not to weigh on them. */
const pollMs = 100;
const patienceMs = 5 * 60_000;

/** The API of a node, called as its administrator. */
export class NodeApi {
    private readonly agent: Agent;
    private readonly url: string;

    /** @param kubeconfig text with the certificates in it */
    constructor(kubeconfig: string, address: string) {
        const { clusters, users } = parse(kubeconfig) as {
            clusters: [{ cluster: { "certificate-authority-data": string } }];
            users: [{ user: { "client-certificate-data": string; "client-key-data": string } }];
        };
        const [{ user }] = users;
        this.agent = new Agent({
            connections: 1,
            connect: {
                ca: decoded(clusters[0].cluster["certificate-authority-data"]),
                cert: decoded(user["client-certificate-data"]),
                key: decoded(user["client-key-data"]),
                timeout: 2_000,
            },
        });
        this.url = `https://${address}:6443`;
    }

    /** The answer of a GET; undefined while there is no good one. */
    async get(path: string): Promise<unknown> {
        try {
            const answer = await request(`${this.url}${path}`, {
                dispatcher: this.agent,
                headers: { accept: "application/json" },
                headersTimeout: 5_000,
            });
            const text = await answer.body.text();
            if (answer.statusCode !== 200) {
                return undefined;
            }
            return text.startsWith("{") ? JSON.parse(text) : text;
        } catch {
            return undefined;
        }
    }

    close(): Promise<void> {
        return this.agent.destroy();
    }
}

const decoded = (base64: string): string => Buffer.from(base64, "base64").toString();

/**
 * Watches until all milestones are reached; gives when, in milliseconds since the epoch.
 *
 * @throws Error when one is not reached in five minutes
 */
export async function watch(api: NodeApi): Promise<Record<Milestone, number>> {
    const reached: Partial<Record<Milestone, number>> = {};
    let missing = milestones;
    for (const deadline = Date.now() + patienceMs; missing.length > 0; await sleep(pollMs)) {
        // Nothing else is asked before the API is ready.
        for (const milestone of missing[0] === "API ready" ? missing.slice(0, 1) : missing) {
            const { path, isThere } = signs[milestone];
            const answer = await api.get(path);
            if (answer !== undefined && isThere(answer)) {
                reached[milestone] = Date.now();
            }
        }
        missing = missing.filter((milestone) => reached[milestone] === undefined);
        if (Date.now() > deadline) {
            throw new Error(`not reached in five minutes: ${missing.join(", ")}`);
        }
    }
    return reached as Record<Milestone, number>;
}
