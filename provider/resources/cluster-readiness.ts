import type { NodeStatus } from "../bootstrap/operations";
import {
    failingPhase,
    hasInstalledAddons,
    isReady,
    Progress,
    stepsOf,
} from "../bootstrap/progress";
import type { BootstrapServer, Context } from "../context";
import type { Handler } from "../handler";

export interface ClusterReadinessInputs {
    bootstrap: BootstrapServer;
    clusterId: number;
    /** The generation that each node is to report as applied and healthy, by slot. */
    generations: Record<string, string>;
    /** Seconds to wait for all nodes. */
    timeout: number;
    /** Whether a deletion is refused: as it depends on the whole cluster, nothing else is deleted then. */
    deletionProtection?: boolean;
}

/**
 * Waits until every node has reported its generation applied and itself healthy, and shows each node's
 * phases meanwhile. It asks the bootstrap server only, so a private cluster works from anywhere.
 */
export const clusterReadiness: Handler<ClusterReadinessInputs> = {
    putsAtServer: true,
    changes: {
        bootstrap: "update",
        clusterId: "replace",
        generations: "update",
        timeout: "ignore",
        deletionProtection: "update",
    },

    async create(inputs, context) {
        await waitForNodes(inputs, context, "start");
        return { id: `${inputs.clusterId}/ready`, outputs: {} };
    },

    read: (id) => Promise.resolve({ id, outputs: {} }),

    async update(id, _state, inputs, context) {
        await waitForNodes(inputs, context, "now");
        return { id, outputs: {} };
    },

    delete: (_id, { clusterId, deletionProtection }) =>
        deletionProtection
            ? Promise.reject(
                  new Error(
                      `cluster ${clusterId} is under deletion protection: nothing was deleted. ` +
                          "Next: set deletionProtection to false and run `pulumi up` before",
                  ),
              )
            : Promise.resolve(),
};

async function waitForNodes(
    inputs: ClusterReadinessInputs,
    context: Context,
    since: "start" | "now",
): Promise<void> {
    const call = context.bootstrap(inputs.bootstrap);
    const slots = Object.keys(inputs.generations).sort();
    const progress = new Progress(since);
    let late: readonly string[] = slots;
    let known: readonly NodeStatus[] = [];

    const isEnough = await context.poll(inputs.timeout, async () => {
        ({ nodes: known } = await call("getStatus", { cluster_id: inputs.clusterId }));
        const nodeOf = (slot: string) => known.find((node) => node.slot === slot);
        progress
            .news(slots.map((slot) => [slot, stepsOf(nodeOf(slot), inputs.generations[slot])]))
            .forEach((line) => context.log(line));
        late = slots.filter((slot) => !isReady(nodeOf(slot), inputs.generations[slot]));
        return late.length === 0 && known.some(hasInstalledAddons) ? true : undefined;
    });
    if (!isEnough) {
        throw new Error(
            [
                late.length === 0
                    ? `no control plane has installed the addons after ${inputs.timeout} s`
                    : `${late.length} of ${slots.length} nodes are not ready after ${inputs.timeout} s:`,
                ...late.flatMap((slot) => {
                    const node = known.find((candidate) => candidate.slot === slot);
                    return whereItIs(slot, node, inputs.generations[slot]);
                }),
                "Next: see what has become of it by `npx excloud-k8s status` (with --stack, unless the stack " +
                    "is selected), mend the cause, then run `pulumi up` again; it goes on from here",
            ].join("\n"),
        );
    }
}

/** The last step of a node, and the end of the log of what went wrong. */
function whereItIs(slot: string, node: NodeStatus | undefined, generation?: string): string[] {
    const { subject, text } = stepsOf(node, generation).at(-1)!;
    const failing = node && failingPhase(node);
    return [
        `  ${slot}: ${subject} ${text}`,
        ...(failing?.state === "running" ? [`    the last try: ${failing.message}`] : []),
        ...(failing?.log_tail ?? []).map((line) => `    | ${line}`),
    ];
}
