import { setTimeout as sleep } from "node:timers/promises";

import type { Ended, RealCluster } from "./real-cluster";

/** What a client met. */
export interface Met {
    /** Requests that succeeded, at once or at the second try. */
    readonly succeeded: number;
    /** Those of them that needed the second try. */
    readonly repeated: number;
    /** Requests that failed twice, with what the second try said. */
    readonly failed: readonly string[];
    /** The longest time without a success, in milliseconds. */
    readonly longestGapMs: number;
}

/**
 * Asks something several times a second until stopped. A request that fails is tried once more, as every
 * client does.
 */
export class Client {
    private isStopped = false;
    private readonly running: Promise<Met>;

    constructor(request: (n: number) => Promise<Ended>) {
        this.running = this.run(request);
    }

    async stop(): Promise<Met> {
        this.isStopped = true;
        return this.running;
    }

    private async run(request: (n: number) => Promise<Ended>): Promise<Met> {
        const failed: string[] = [];
        let [succeeded, repeated, longestGapMs, last] = [0, 0, 0, Date.now()];
        while (!this.isStopped) {
            let answer = await request(succeeded);
            const isSecond = answer.code !== 0;
            if (isSecond) {
                await sleep(500);
                answer = await request(succeeded);
            }
            if (answer.code !== 0) {
                failed.push(answer.stderr);
                continue;
            }
            succeeded++;
            repeated += Number(isSecond);
            longestGapMs = Math.max(longestGapMs, Date.now() - last);
            last = Date.now();
            await sleep(100);
        }
        longestGapMs = Math.max(longestGapMs, Date.now() - last);
        return { succeeded, repeated, failed, longestGapMs };
    }
}

/** Does something while clients go on, ends them whatever happens, and gives what each met. */
export async function whileAsking(
    clients: readonly Client[],
    work: () => Promise<unknown>,
): Promise<Met[]> {
    try {
        await work();
    } finally {
        await Promise.allSettled(clients.map((client) => client.stop()));
    }
    return Promise.all(clients.map((client) => client.stop()));
}

/** Writes to the API from a node, at the node's own balancer. */
export function writer(cluster: RealCluster, slot: string): Client {
    return new Client((n) =>
        cluster.tryOnNode(
            slot,
            ...["kubectl", "--server=https://127.0.0.1:7443", "--request-timeout=10s"],
            ...["annotate", "--overwrite", "namespace", "default", `writer=${n}`],
        ),
    );
}

/** Reads from a Service on a node, at the Service's address. */
export function reader(cluster: RealCluster, slot: string, address: string): Client {
    const curl = ["curl", "-fsS", "--max-time", "3", `http://${address}/hostname`] as const;
    return new Client(() => cluster.tryOnNode(slot, ...curl));
}
