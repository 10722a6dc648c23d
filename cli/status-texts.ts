import { styleText } from "node:util";

import type { NodeStatus, PhaseStatus } from "../provider/bootstrap/operations";
import { failedChecks, failingPhase, secondsOf } from "../provider/bootstrap/progress";
import type { Certificate, Cluster } from "./exported";

/** A cluster and what its nodes have reported. */
export interface ClusterStatus extends Cluster {
    readonly nodes: readonly NodeStatus[];
    /** Whether each node has reported its newest files as applied and itself healthy, and the addons run. */
    readonly ready: boolean;
}

/** Days before its end at which a certificate is worth a word. */
export const expiryWarning = 30;

const day = 24 * 60 * 60 * 1000;

/** A cluster's status as lines. Coloured on a terminal only. */
export function describeStatus(cluster: ClusterStatus, now: Date): string[] {
    const { clusterName, clusterId, bootstrap, nodes, certificates, ready } = cluster;
    const state = ready ? styleText("green", "ready") : styleText("red", "not ready");
    return [
        `${styleText("bold", clusterName)} (cluster ${clusterId} at ${bootstrap.operatorUrl}): ${state}`,
        ...(nodes.length === 0 ? ["  it has no nodes yet. Next: `pulumi up`"] : []),
        ...nodes.flatMap((node) => describeNode(node, now)),
        ...endingSoon(certificates, now).map(
            ({ name, notAfter }) =>
                `  ${styleText("yellow", "certificate")} ${name} ${endOf(notAfter, now)}; ` +
                "`pulumi up` renews it once it is within certificates.renewBeforeDays",
        ),
    ];
}

function describeNode(node: NodeStatus, now: Date): string[] {
    const { slot, vm_id, address, last_seen_at, last_refusal, phases } = node;
    const place = vm_id === null ? "no VM yet" : `VM ${vm_id}  ${address ?? ""}`;
    const seen = last_seen_at === null ? "never heard of" : `heard of ${ago(last_seen_at, now)}`;
    const failing = failingPhase(node);
    return [
        "",
        `${styleText("bold", slot)}  ${place}  ${healthOf(node)}, ${filesOf(node)}, ${seen}`,
        ...phases.flatMap((phase) => describePhase(phase, phase === failing)),
        ...(last_refusal
            ? [`    refused ${ago(last_refusal.at, now)} by the server: ${last_refusal.reason}`]
            : []),
    ];
}

function healthOf(node: NodeStatus): string {
    const failed = failedChecks(node);
    return node.healthy
        ? styleText("green", "healthy")
        : styleText("red", "not healthy") + (failed.length > 0 ? ` (${failed.join(", ")})` : "");
}

function filesOf(node: NodeStatus): string {
    const { reported_generation, desired_generation, held_by } = node;
    if (desired_generation === null) {
        return "no files were made for it yet";
    }
    if (reported_generation === desired_generation) {
        return `has its newest files (${short(desired_generation)})`;
    }
    const turn = held_by === undefined ? "" : `, after ${held_by}`;
    const current = reported_generation === null ? "none" : short(reported_generation);
    return `has files ${current}, waits for ${short(desired_generation)}${turn}`;
}

function describePhase(report: PhaseStatus, isFailing: boolean): string[] {
    const { phase, state, message, log_tail } = report;
    const colour = { done: "green", running: "yellow", failed: "red" } as const;
    const line = [
        `    ${phase.padEnd(10)}`,
        styleText(colour[state], state.padEnd(7)),
        (secondsOf(report) ?? "").padStart(8),
        ` ${isFailing && state === "running" ? "the last try: " : ""}${message ?? ""}`,
    ];
    return [
        line.join(" ").trimEnd(),
        ...(isFailing ? log_tail.map((text) => styleText("dim", `      | ${text}`)) : []),
    ];
}

/** The certificates that end soon, the first to end first. */
export function endingSoon(certificates: readonly Certificate[], now: Date): Certificate[] {
    return certificates
        .filter(({ notAfter }) => Date.parse(notAfter) - now.getTime() < expiryWarning * day)
        .sort((a, b) => Date.parse(a.notAfter) - Date.parse(b.notAfter));
}

/** When something ends, or has ended. */
export function endOf(notAfter: string, now: Date): string {
    const days = Math.floor((Date.parse(notAfter) - now.getTime()) / day);
    return days < 0 ? `ended on ${notAfter.slice(0, 10)}` : `ends in ${days} days`;
}

function ago(time: string, now: Date): string {
    const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(time)) / 1000));
    return seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}

function short(generation: string): string {
    return generation.slice(0, 8);
}
