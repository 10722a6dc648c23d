import type { NodeStatus, Phase } from "../bootstrap/operations";
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
    changes: {
        bootstrap: "update",
        clusterId: "replace",
        generations: "update",
        timeout: "ignore",
        deletionProtection: "update",
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

async function waitForNodes(inputs: ClusterReadinessInputs, context: Context): Promise<void> {
    const call = context.bootstrap(inputs.bootstrap);
    const slots = Object.keys(inputs.generations).sort();
    const shown = new Set<string>();
    let last: Record<string, string> = {};
    let failures: Record<string, string[]> = {};

    const ready = await context.poll(inputs.timeout, async () => {
        const { nodes } = await call("getStatus", { cluster_id: inputs.clusterId });
        const news = slots.map((slot) => {
            const node = nodes.find((candidate) => candidate.slot === slot);
            return [slot, progressOf(node, inputs.generations[slot])] as const;
        });
        for (const line of news.flatMap(([slot, lines]) =>
            lines.map((text) => `${slot}: ${text}`),
        )) {
            if (!shown.has(line)) {
                shown.add(line);
                context.log(line);
            }
        }
        last = Object.fromEntries(news.map(([slot, lines]) => [slot, lines.at(-1) ?? ""]));
        failures = Object.fromEntries(nodes.map((node) => [node.slot, lastFailure(node)]));
        const areReady = Object.values(last).every((line) => line === readyLine);
        return areReady && nodes.some(hasInstalledAddons) ? true : undefined;
    });
    if (!ready) {
        const late = slots.filter((slot) => last[slot] !== readyLine);
        throw new Error(
            [
                late.length === 0
                    ? `no control plane has installed the addons after ${inputs.timeout} s`
                    : `${late.length} of ${slots.length} nodes are not ready after ${inputs.timeout} s:`,
                ...late.flatMap((slot) => [
                    `  ${slot}: ${last[slot]}`,
                    ...(failures[slot] ?? []).map((line) => `    ${line}`),
                ]),
                "Next: mend the cause, then run `pulumi up` again; it goes on from here",
            ].join("\n"),
        );
    }
}

const readyLine = "ready";

/** Why a phase failed, and the end of its log; also while it is tried again. */
function lastFailure({ phases }: NodeStatus): string[] {
    const failing = phases.findLast(({ state, message }) => state !== "done" && message !== null);
    return failing === undefined
        ? []
        : [
              ...(failing.state === "running" ? [`the last try: ${failing.message}`] : []),
              ...(failing.log_tail ?? []).map((line) => `| ${line}`),
          ];
}

/** Addons are installed once for the cluster, by whichever control plane holds the lease. */
function hasInstalledAddons({ phases }: NodeStatus): boolean {
    return phases.some(({ phase, state }) => phase === "addons" && state === "done");
}

/** What a node has done and is doing, a line each; `ready` last when it is what it is to be. */
function progressOf(node: NodeStatus | undefined, generation: string | undefined): string[] {
    if (node === undefined || node.phases.length === 0) {
        return [
            node?.last_refusal
                ? `refused by the bootstrap server: ${node.last_refusal.reason}`
                : "waiting for the VM's first call",
        ];
    }
    const boot = node.phases.filter(({ phase }) => phase !== "applied").map(describePhase);
    if (node.reported_generation === generation && node.healthy) {
        return [...boot, readyLine];
    }
    const applied = node.phases.find(({ phase }) => phase === "applied");
    if (applied === undefined) {
        return boot;
    }
    if (node.held_by !== undefined) {
        return [...boot, `waiting for its turn, after ${node.held_by}`];
    }
    if (applied.state === "failed") {
        return [...boot, describePhase(applied)];
    }
    return [...boot, "applying its new files"];
}

function describePhase(report: Phase): string {
    const { phase, state, started_at, finished_at, message, log_tail = [] } = report;
    if (state === "failed") {
        const reason = message ?? "no reason given";
        // Without its time: the same failure once more is no news.
        const lastLine = log_tail
            .findLast((line) => line.trim() !== "")
            ?.replace(/^\d{4}-\d\d-\d\dT[\d:]+Z /, "");
        return `${phase} failed: ${reason}${lastLine === undefined ? "" : `: ${lastLine}`}`;
    }
    if (state === "running" || finished_at === null) {
        return `${phase} ...`;
    }
    const seconds = (Date.parse(finished_at) - Date.parse(started_at)) / 1000;
    return `${phase} done, ${seconds.toFixed(1)} s`;
}
