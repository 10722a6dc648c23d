import type { NodeStatus, PhaseStatus } from "./operations";

/** One thing to say of a node. */
export interface Step {
    /** In most cases a phase. */
    readonly subject: string;
    readonly text: string;
    /** `done`: it lies behind the node for good; `passing`: something else will take its place. */
    readonly state?: "done" | "passing";
}

const subjectWidth = 10;
const secondsWidth = 8;

/** A step of a node as a line that stands in one column with those of other nodes. */
export function lineOf(slot: string, { subject, text }: Step): string {
    return `${slot}  ${subject.padEnd(subjectWidth)}  ${text}`.trimEnd();
}

/**
 * Gives each node's changes, and none of them twice. What passes is given when it is seen for the second
 * time: most of it has passed by then.
 */
export class Progress {
    private readonly seen = new Map<string, number>();
    private isFirst = true;

    /** @param since `now` passes over what nodes had done when they are first looked at */
    constructor(private readonly since: "start" | "now") {}

    /** What has changed since the last look, one line each. */
    news(nodes: readonly (readonly [slot: string, steps: readonly Step[]])[]): string[] {
        const passOver = this.isFirst && this.since === "now";
        this.isFirst = false;
        return nodes.flatMap(([slot, steps]) =>
            steps.flatMap((step) => {
                const line = lineOf(slot, step);
                const times = (this.seen.get(line) ?? 0) + 1;
                this.seen.set(line, times);
                const isNew = times === (step.state === "passing" ? 2 : 1);
                return isNew && !(passOver && step.state === "done") ? [line] : [];
            }),
        );
    }
}

const ready: Step = { subject: "ready", text: "" };

/** Whether a node has reported a generation as applied, and itself healthy. */
export function isReady(
    node: NodeStatus | undefined,
    generation: string | null | undefined = node?.desired_generation,
): boolean {
    return node?.healthy === true && generation != null && node.reported_generation === generation;
}

/** Addons are installed once for the cluster, by whichever control plane holds the lease. */
export function hasInstalledAddons({ phases }: NodeStatus): boolean {
    return phases.some(({ phase, state }) => phase === "addons" && state === "done");
}

/** What a node has done and is doing, in order; last that it is ready, when it is. */
export function stepsOf(node: NodeStatus | undefined, generation?: string): Step[] {
    if (node === undefined || node.phases.length === 0) {
        return [waitingStep(node)];
    }
    const boot = node.phases.filter(({ phase }) => phase !== "applied").map(phaseStep);
    if (isReady(node, generation)) {
        return [...boot, ready];
    }
    const applied = node.phases.find(({ phase }) => phase === "applied");
    if (applied === undefined) {
        return boot;
    }
    if (node.held_by !== undefined) {
        return [...boot, { subject: "applied", text: `waits for its turn, after ${node.held_by}` }];
    }
    return [...boot, applied.state === "failed" ? phaseStep(applied) : applying];
}

const applying: Step = { subject: "applied", text: "...", state: "passing" };

function waitingStep(node: NodeStatus | undefined): Step {
    return node?.last_refusal
        ? { subject: "refused", text: `by the bootstrap server: ${node.last_refusal.reason}` }
        : { subject: "waiting", text: "for the VM's first call", state: "passing" };
}

function phaseStep(report: PhaseStatus): Step {
    const { phase, state, message, log_tail } = report;
    if (state === "failed") {
        const reason = message ?? "no reason given";
        // Without its time: the same failure once more is no news.
        const lastLine = log_tail
            .findLast((line) => line.trim() !== "")
            ?.replace(/^\d{4}-\d\d-\d\dT[\d:]+Z /, "");
        const because = lastLine === undefined ? "" : `: ${lastLine}`;
        return { subject: phase, text: `failed: ${reason}${because}` };
    }
    const seconds = secondsOf(report);
    return state === "running" || seconds === undefined
        ? { subject: phase, text: "...", state: "passing" }
        : { subject: phase, text: seconds, state: "done" };
}

/** How long a phase took, to be put in a column; undefined while it has not ended. */
export function secondsOf({ started_at, finished_at }: PhaseStatus): string | undefined {
    return finished_at === null
        ? undefined
        : `${((Date.parse(finished_at) - Date.parse(started_at)) / 1000).toFixed(1)} s`.padStart(
              secondsWidth,
          );
}

/** The phase that keeps a node from being well, also while it is tried again. */
export function failingPhase({ phases }: NodeStatus): PhaseStatus | undefined {
    return phases.findLast(({ state, message }) => state !== "done" && message !== null);
}

/** The checks of a node's health that were not passed when it last reported. */
export function failedChecks({ health }: NodeStatus): string[] {
    return Object.keys(health).filter((check) => !health[check]);
}
