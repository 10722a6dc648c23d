import type { NodeStatus } from "../bootstrap/operations";
import type { BootstrapServer, Context } from "../context";
import type { Handler } from "../handler";

export interface ClusterReadinessInputs {
    bootstrap: BootstrapServer;
    clusterId: number;
    /** The generation that each node is to report as applied and healthy, by slot. */
    generations: Record<string, string>;
    /** Seconds to wait for all nodes. */
    timeout: number;
}

/**
 * Waits until every node has reported its generation applied and itself healthy, and shows each node's
 * phases meanwhile. It asks the bootstrap server only, so a private cluster works from anywhere.
 */
export const clusterReadiness: Handler<ClusterReadinessInputs> = {
    changes: {
        bootstrap: "update",
        clusterId: "replace",
        generations: "update",
        timeout: "ignore",
    },

    async create(inputs, context) {
        await waitForNodes(inputs, context);
        return { id: `${inputs.clusterId}/ready`, outputs: {} };
    },

    read: (id) => Promise.resolve({ id, outputs: {} }),

    async update(id, _state, inputs, context) {
        await waitForNodes(inputs, context);
        return { id, outputs: {} };
    },

    delete: () => Promise.resolve(),
};

async function waitForNodes(inputs: ClusterReadinessInputs, context: Context): Promise<void> {
    const call = context.bootstrap(inputs.bootstrap);
    const slots = Object.keys(inputs.generations).sort();
    const shown = new Map<string, string>();
    let nodes: NodeStatus[] = [];
    const isReady = (node: NodeStatus | undefined, slot: string) =>
        node?.reported_generation === inputs.generations[slot] && node?.healthy === true;

    const ready = await context.poll(inputs.timeout, async () => {
        nodes = (await call("getStatus", { cluster_id: inputs.clusterId })).nodes;
        for (const slot of slots) {
            const node = nodes.find((candidate) => candidate.slot === slot);
            const line = isReady(node, slot) ? "ready" : describe(node);
            if (shown.get(slot) !== line) {
                shown.set(slot, line);
                context.log(`${slot}: ${line}`);
            }
        }
        const found = (slot: string) => nodes.find((node) => node.slot === slot);
        return slots.every((slot) => isReady(found(slot), slot)) ? true : undefined;
    });
    if (!ready) {
        const late = slots.filter((slot) => shown.get(slot) !== "ready");
        throw new Error(
            [
                `${late.length} of ${slots.length} nodes are not ready after ${inputs.timeout} s:`,
                ...late.map((slot) => `  ${slot}: ${shown.get(slot)}`),
                "Next: mend the cause, then run `pulumi up` again; it goes on from here",
            ].join("\n"),
        );
    }
}

/** What a node is doing, in one line. */
function describe(node: NodeStatus | undefined): string {
    const latest = node?.phases.at(-1);
    if (node === undefined || latest === undefined) {
        return node?.last_refusal
            ? `refused by the bootstrap server: ${node.last_refusal.reason}`
            : "waiting for the VM's first call";
    }
    const { phase, state, message } = latest;
    if (state === "failed") {
        return `${phase} failed: ${message ?? "no reason given"}`;
    }
    if (phase === "applied") {
        return node.released_generation === node.desired_generation
            ? "applying its new files"
            : "waiting for its turn";
    }
    return state === "done" ? `${phase} done` : phase;
}
