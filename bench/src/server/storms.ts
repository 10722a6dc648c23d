import { request } from "undici";

import { forAll, Operator, type Slot } from "./operator";
import { residentBytes, startJob } from "./processes";
import type { StormFigures, StormOptions } from "./storm";
import type { Replica } from "./world";

/** VMs that boot at the same time, on some replicas. */
export interface StormResult extends StormFigures {
    replicas: number;
    vms: number;
    /** Calls of Excloud for all first contacts together. */
    cloudCalls: { me: number; compute: number };
    /** Resident memory of the replicas, mean of the last quarter over the first. */
    memoryRatio: number;
    /** Of all replicas together, in bytes. */
    memory: { first: number; last: number; most: number };
}

const perCluster = 10;
/** First VM id of storms; ids of one run differ. */
let nextVmId = 100_000;

async function cloudCalls(cloudUrl: string): Promise<{ me: number; compute: number }> {
    const { body } = await request(`${cloudUrl}/calls`);
    return (await body.json()) as { me: number; compute: number };
}

const mean = (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0) / all.length;

/** Boots VMs: they ask while their clusters are still being put, as with `pulumi up`. */
export async function storm(
    replicas: readonly Replica[],
    operatorToken: string,
    cloudUrl: string,
    vms: number,
    progress: (line: string) => void,
): Promise<StormResult> {
    const [first] = replicas;
    if (!first) {
        throw new Error("a storm needs a replica");
    }
    const operator = new Operator(first.url, first.caPem, operatorToken);
    const clusters = Array.from({ length: Math.ceil(vms / perCluster) }, () =>
        Array.from({ length: perCluster }, () => nextVmId++),
    );
    const slots: Slot[] = [];
    await forAll(clusters, 8, async (vmIds) => {
        slots.push(...(await operator.register(`bench/storm/${vmIds[0]}`, vmIds)));
    });
    progress(`${slots.length} slots of ${clusters.length} clusters are registered`);

    const before = await cloudCalls(cloudUrl);
    const samples: number[] = [];
    const sampler = setInterval(() => {
        samples.push(replicas.reduce((sum, { pid }) => sum + residentBytes(pid), 0));
    }, 250);
    const options: StormOptions = {
        urls: replicas.map(({ url }) => url),
        caPem: first.caPem,
        slots,
        atOnce: 200,
    };
    const vmsThatBoot = startJob<StormFigures>("./storm", options);
    const [figures] = await Promise.all([
        vmsThatBoot.answer,
        forAll(slots, 4, async (slot) => {
            await operator.bind(slot);
            vmsThatBoot.tell(slot.vmId);
        }),
    ]).finally(() => clearInterval(sampler));
    const after = await cloudCalls(cloudUrl);
    const quarter = Math.max(1, Math.floor(samples.length / 4));
    const memory = {
        first: mean(samples.slice(0, quarter)),
        last: mean(samples.slice(-quarter)),
        most: Math.max(...samples),
    };
    return {
        ...figures,
        replicas: replicas.length,
        vms: slots.length,
        cloudCalls: { me: after.me - before.me, compute: after.compute - before.compute },
        memoryRatio: memory.last / memory.first,
        memory,
    };
}
