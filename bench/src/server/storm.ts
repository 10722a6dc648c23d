// Many VMs that boot: each asks for its first bundle from an address of its own until it is given.
import { createHistogram } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

import { Agent, request } from "undici";

import { factorHeaders, firstContact } from "#contract/agent";
import { pathOf } from "#contract/operation";

import { forAll, ownPath, ownText, type Slot } from "./operator";
import { answer, argument, onNews } from "./processes";
import { addressOf, secretOf, tokenOf } from "./vms";

/** Which VMs boot, and where they ask. */
export interface StormOptions {
    /** Replicas; VMs take them in turn, and every tenth asks all of them at the same moment. */
    urls: readonly string[];
    caPem: string;
    slots: readonly Slot[];
    /** VMs that ask at the same time. */
    atOnce: number;
}

/** What the VMs were answered. */
export interface StormFigures {
    seconds: number;
    /** Answers by status. */
    statuses: Record<number, number>;
    /** Bundles that were not the VM's own, refusals of a VM that was bound, and what no VM may be given here. */
    wrong: number;
    /** Requests that were answered with a bundle: how long they took, in milliseconds. */
    bundle: { p50: number; p99: number; most: number };
    /** VMs that have their own bundle. */
    served: number;
}

/** How long a VM waits before it asks again, in milliseconds: twice as long each time. */
const pauses = { first: 500, longest: 4000 };
/** How long a VM asks before it gives up, in milliseconds. */
const patienceMs = 600_000;

const { urls, caPem, slots, atOnce } = argument<StormOptions>();
const statuses: Record<number, number> = {};
const latencies = createHistogram();
/** VMs whose bundles the operator has put. */
const bound = new Set<number>();
onNews<number>((vmId) => bound.add(vmId));
let wrong = 0;
let served = 0;

function isOwn(text: string, { vmId, slot }: Slot): boolean {
    const bundle = JSON.parse(text) as {
        files: Record<string, string>;
        node_name: string;
        agent_token: string;
    };
    return (
        bundle.files[ownPath] === ownText(vmId) &&
        bundle.node_name.startsWith(`${slot}.`) &&
        bundle.agent_token.length > 0
    );
}

async function boot(slot: Slot): Promise<void> {
    const { vmId, role } = slot;
    const agent = new Agent({ connect: { ca: caPem }, localAddress: addressOf(vmId) });
    const asked = vmId % 10 === 0 ? urls : [urls[vmId % urls.length] as string];
    const headers = {
        authorization: `Bearer ${tokenOf(vmId)}`,
        [factorHeaders.selfHosted]: secretOf(vmId),
    };
    /** Asks once; true when it is given its own bundle. */
    const ask = async (url: string): Promise<boolean> => {
        const wasBound = bound.has(vmId);
        const started = process.hrtime.bigint();
        const { statusCode, body } = await request(
            url + pathOf(firstContact, { role, vm_id: vmId }),
            {
                dispatcher: agent,
                headers,
            },
        );
        const text = await body.text();
        statuses[statusCode] = (statuses[statusCode] ?? 0) + 1;
        if (statusCode === 200) {
            latencies.record(process.hrtime.bigint() - started);
        }
        const isServed = statusCode === 200 && isOwn(text, slot);
        // Not bound yet, or its cluster is not complete.
        const mayBe = statusCode === 409 || (statusCode === 401 && !wasBound);
        if (!isServed && !mayBe) {
            wrong += 1;
        }
        return isServed;
    };
    const end = Date.now() + patienceMs;
    let pause = pauses.first;
    while (Date.now() < end) {
        if ((await Promise.all(asked.map(ask))).includes(true)) {
            served += 1;
            break;
        }
        await sleep(pause);
        pause = Math.min(2 * pause, pauses.longest);
    }
    await agent.close();
}

const begin = Date.now();
const milliseconds = (percentile: number) => latencies.percentile(percentile) / 1e6;
void forAll(slots, atOnce, boot).then(() => {
    const figures: StormFigures = {
        seconds: (Date.now() - begin) / 1000,
        statuses,
        wrong,
        served,
        bundle: { p50: milliseconds(50), p99: milliseconds(99), most: latencies.max / 1e6 },
    };
    answer(figures);
});
