import { setTimeout as sleep } from "node:timers/promises";

import type { RealCluster } from "./real-cluster";

/** What a writer met. */
export interface Written {
    /** Writes that succeeded, at once or at the second try. */
    readonly written: number;
    /** Writes that failed twice, with what the second try said. */
    readonly lost: readonly string[];
    /** The longest time that passed between two successes, in milliseconds. */
    readonly longestGap: number;
}

/**
 * Writes to the API several times a second from a node, at the node's own balancer, until stopped. A
 * write that fails is tried once more, as every client does.
 */
export class Writer {
    private isStopped = false;
    private readonly running: Promise<Written>;

    constructor(cluster: RealCluster, slot: string) {
        this.running = this.write(cluster, slot);
    }

    async stop(): Promise<Written> {
        this.isStopped = true;
        return this.running;
    }

    private async write(cluster: RealCluster, slot: string): Promise<Written> {
        const lost: string[] = [];
        let written = 0;
        let last = Date.now();
        let longestGap = 0;
        const put = (n: number) =>
            cluster.tryOnNode(
                slot,
                ...["kubectl", "--server=https://127.0.0.1:7443", "--request-timeout=10s"],
                ...["annotate", "--overwrite", "namespace", "default", `writer=${n}`],
            );
        while (!this.isStopped) {
            let answer = await put(written);
            if (answer.code !== 0) {
                await sleep(500);
                answer = await put(written);
            }
            if (answer.code !== 0) {
                lost.push(answer.stderr);
                continue;
            }
            written++;
            longestGap = Math.max(longestGap, Date.now() - last);
            last = Date.now();
            await sleep(100);
        }
        return { written, lost, longestGap };
    }
}
