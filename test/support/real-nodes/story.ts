import { expect } from "@jest/globals";

import { command } from "../../engine/cli/command";
import { type Met, reader, whileAsking, writer } from "./load";
import { webService } from "./pods";
import { eventually, RealCluster, type RealClusterOptions } from "./real-cluster";
import { mustBeWhole, slots } from "./whole";

/**
 * A cluster of three control planes on real nodes that is broken on purpose. A writer and a reader watch
 * meanwhile; afterwards it is judged by what its user sees, `up` and `status`.
 */
export class Story {
    private constructor(
        readonly cluster: RealCluster,
        /** Address of the Service that the reader asks. */
        private readonly web: string,
    ) {}

    /** Makes the cluster, with a Service whose pods are on all nodes. */
    static async begin(
        args: Readonly<Record<string, unknown>> = {},
        options: RealClusterOptions = {},
    ): Promise<Story> {
        const cluster = await RealCluster.open({ controlPlaneCount: 3, ...args }, options);
        try {
            await cluster.up();
            await cluster.kubeconfig();
            await cluster.apply(webService("web", slots.length));
            await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=3m");
            const { spec } = await cluster.get<{ spec: { clusterIP: string } }>("service", "web");
            return new Story(cluster, spec.clusterIP);
        } catch (error) {
            // The next story needs its ports.
            await cluster.close().catch(() => undefined);
            throw error;
        }
    }

    /**
     * Does something to the cluster while a writer and a reader on a node go on, and tells how many of
     * their requests failed.
     */
    async watched(
        slot: string,
        work: () => Promise<unknown>,
    ): Promise<{ writes: Met; reads: Met }> {
        const [writes, reads] = await whileAsking(
            [writer(this.cluster, slot), reader(this.cluster, slot, this.web)],
            work,
        );
        for (const [kind, met] of Object.entries({ writes, reads }) as [string, Met][]) {
            process.stderr.write(
                `${expect.getState().currentTestName}: ${kind} from ${slot}: ${met.succeeded} succeeded, ` +
                    `${met.repeated} of them at the second try, ${met.failed.length} failed; ` +
                    `longest gap ${(met.longestGapMs / 1000).toFixed(1)} s\n`,
            );
            expect(met.succeeded).toBeGreaterThan(5 + met.failed.length);
        }
        return { writes: writes!, reads: reads! };
    }

    /** The cluster is well again within some seconds, and `status` and `up` say so. */
    async mustHeal(seconds: number): Promise<void> {
        await mustBeWhole(this.cluster, seconds);
        const { stack } = this.cluster.bench;
        await eventually(seconds, async () => {
            const { code, text } = await command(stack, "status");
            expect([code, text]).toEqual([0, expect.stringMatching(/: ready$/m)]);
        });
        await this.cluster.bench.pulumi(["up", "--yes", "--skip-preview", "--expect-no-changes"]);
    }
}
