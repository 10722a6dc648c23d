import type { NodeState } from "../rules/node-state";
import { nodeStates } from "../rules/node-state";
import type {
    CertificateEnd,
    ClusterOverview,
    DecisionOverview,
    NodeOverview,
    Overview,
} from "../service/overview";
import { axisMarks, bootPhases, bootSpans, extent, type Span } from "./time-line";
import { ago, count, duration, shortDigest, timestamp } from "./words";

/** Colour of a mark; its text always says the same. */
type Tone = "good" | "busy" | "warn" | "bad" | "idle";

const states: Record<NodeState, { text: string; tone: Tone }> = {
    failed: { text: "Failed", tone: "bad" },
    silent: { text: "Silent", tone: "bad" },
    unwell: { text: "Unwell", tone: "bad" },
    booting: { text: "Booting", tone: "busy" },
    applying: { text: "Applying", tone: "busy" },
    expected: { text: "Expected", tone: "warn" },
    empty: { text: "No VM yet", tone: "idle" },
    healthy: { text: "Healthy", tone: "good" },
};

const decisions: Record<DecisionOverview["decision"], { text: string; tone: Tone }> = {
    released: { text: "Released", tone: "good" },
    pending: { text: "Pending", tone: "warn" },
    refused: { text: "Refused", tone: "bad" },
};

const founding: Record<ClusterOverview["etcdState"], string> = {
    unfounded: "etcd not founded yet",
    founding: "etcd is being founded",
    founded: "etcd founded",
};

/** A moment for a `<time>` element. */
const moment = (at: Date, text: string) => ({ iso: at.toISOString(), text, full: timestamp(at) });

/** A reason's name as words. */
const words = (name: string) => name.replaceAll("_", " ");

const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(2)}%`;

/** Narrowest bar of a phase, in percent of the line: a phase that took no time is still seen. */
const narrowest = 0.8;

function bar(span: Span, scale: number) {
    const share = Math.max(narrowest, (100 * span.length) / scale);
    const x = Math.min(100 - share, (100 * span.start) / scale);
    return { x: `${x.toFixed(2)}%`, width: `${share.toFixed(2)}%` };
}

/** The time of a phase in words, for all who do not see the bar. */
function spanText({ state, start, length, drawn }: Span): string {
    const begun = drawn ? `started after ${duration(start)}` : "run again later";
    const lasted = { done: "took", running: "runs for", failed: "failed after" }[state];
    return `${begun}, ${lasted} ${duration(length)}`;
}

function phaseRow(phase: string, span: Span | undefined, scale: number) {
    if (!span) {
        return { phase, state: "open", time: "", text: "not reported yet", bar: null };
    }
    return {
        phase,
        state: span.state,
        time: duration(span.length),
        text: spanText(span),
        bar: span.drawn ? bar(span, scale) : null,
    };
}

function troubles(node: NodeOverview) {
    return node.phases
        .filter(({ message, log_tail }) => message !== null || log_tail.length > 0)
        .map(({ phase, state, message, log_tail }) => ({
            phase,
            title:
                state === "failed" ? `${phase} failed` : `${phase} failed before, is tried again`,
            tone: state === "failed" ? "bad" : "warn",
            message: message ?? "",
            log: log_tail.join("\n"),
            lines: count(log_tail.length, "line"),
        }));
}

function generation({ desired_generation, released_generation, ...node }: NodeOverview) {
    const current = node.reported_generation;
    const next = desired_generation === current ? null : desired_generation;
    const waits = node.held_by ? `waits for ${node.held_by}` : undefined;
    const given =
        next !== null && released_generation === next ? "given, not reported yet" : "next";
    return {
        current: current === null ? "none yet" : shortDigest(current),
        next: next === null ? null : shortDigest(next),
        why: next === null ? "" : (waits ?? given),
        isHeld: waits !== undefined,
    };
}

const day = 86_400_000;

function certificateTone(expiresAt: Date, now: Date): Tone {
    const left = expiresAt.getTime() - now.getTime();
    return left < 7 * day ? "bad" : left < 30 * day ? "warn" : "good";
}

function certificate({ path, expiresAt }: CertificateEnd, now: Date) {
    const left = (expiresAt.getTime() - now.getTime()) / 1000;
    return {
        path,
        tone: certificateTone(expiresAt, now),
        end: moment(
            expiresAt,
            left > 0 ? `in ${duration(left)}` : `${duration(-left)} ago: it has expired`,
        ),
    };
}

function nodeView(node: NodeOverview, spans: readonly Span[], scale: number, now: Date) {
    const { state, last_seen_at, last_refusal, health } = node;
    const seen = last_seen_at === null ? null : new Date(last_seen_at);
    const ends = node.certificates.map((one) => certificate(one, now));
    const failedChecks = Object.keys(health).filter((check) => !health[check]);
    return {
        id: node.node_name,
        slot: node.slot,
        name: node.node_name,
        vm: node.vm_id,
        address: node.address,
        state: states[state],
        seen: seen && moment(seen, ago(seen, now)),
        rows: bootPhases.map((phase) =>
            phaseRow(
                phase,
                spans.find((span) => span.phase === phase),
                scale,
            ),
        ),
        total: spans.length === 0 ? null : duration(extent(spans)),
        failedChecks,
        generation: generation(node),
        refusal: last_refusal
            ? {
                  reason: words(last_refusal.reason),
                  at: moment(new Date(last_refusal.at), ago(new Date(last_refusal.at), now)),
              }
            : null,
        troubles: troubles(node),
        firstEnd: ends[0] ?? null,
        ends,
    };
}

function clusterView(cluster: ClusterOverview, now: Date) {
    const spans = cluster.nodes.map(({ phases }) => bootSpans(phases, now));
    // One scale for all nodes of a cluster: bars of the same length are the same time.
    const scale = Math.max(1, ...spans.map(extent)) * 1.02;
    const healthy = cluster.nodes.filter(({ state }) => state === "healthy").length;
    return {
        id: `cluster-${cluster.id}`,
        name: cluster.name,
        key: cluster.key,
        founding: founding[cluster.etcdState],
        state: cluster.worst ? states[cluster.worst] : { text: "No nodes", tone: "idle" },
        health: `${healthy} of ${count(cluster.nodes.length, "node")} healthy`,
        marks: axisMarks(scale).map((mark) => ({ x: percent(mark, scale), text: `${mark}` })),
        nodes: cluster.nodes.map((node, index) => nodeView(node, spans[index] ?? [], scale, now)),
    };
}

function decisionView(row: DecisionOverview, now: Date) {
    return {
        at: moment(row.at, ago(row.at, now)),
        decision: decisions[row.decision],
        reason: words(row.reason),
        who: row.slot === null ? "unknown node" : row.slot,
        cluster: row.cluster,
        role: row.role,
        vm: row.vm_id,
        source: row.source_address,
    };
}

/** What the page's template shows: texts and numbers, nothing to decide. */
export function pageView({ now, clusters, unshown, counts, decisions }: Overview) {
    return {
        now: moment(now, timestamp(now)),
        clusterCount: count(clusters.length + unshown, "cluster"),
        tally: nodeStates
            .map((state) => ({ ...states[state], count: counts.get(state) ?? 0 }))
            .filter(({ count }) => count > 0),
        clusters: clusters.map((cluster) => clusterView(cluster, now)),
        unshown: unshown === 0 ? null : count(unshown, "more cluster"),
        decisions: decisions.map((row) => decisionView(row, now)),
    };
}
