import { type Phase, phases, type PhaseState } from "#contract/phases";

/** One report of a node, as far as the rules look at it. */
export interface ReportFacts {
    generation: string;
    phase: Phase;
    state: PhaseState;
    /** Result per check; checks are named by the node. */
    health?: Readonly<Record<string, boolean>>;
}

/** What an `applied` report says of a node. */
export interface AppliedFacts {
    /** The generation that lies on the node, or undefined when the report does not settle it. */
    generation: string | undefined;
    healthy: boolean;
}

/**
 * Whether a control plane's report shows that its etcd member has run: the phase's own end, or
 * anything that comes after it, so that one lost report does not hide a member.
 */
export function showsEtcd(report: ReportFacts): boolean {
    if (report.phase === "applied") {
        return readApplied(report)?.healthy === true;
    }
    const after = phases.indexOf(report.phase) - phases.indexOf("etcd");
    return after > 0 || (after === 0 && report.state === "done");
}

/**
 * Reads an `applied` report; undefined for other phases. Healthy needs evidence: the state `done`
 * and at least one check, all of them good. `running` does not change what lies on the node.
 */
export function readApplied(report: ReportFacts): AppliedFacts | undefined {
    if (report.phase !== "applied") {
        return undefined;
    }
    const checks = Object.values(report.health ?? {});
    return {
        generation: report.state === "running" ? undefined : report.generation,
        healthy: report.state === "done" && checks.length > 0 && checks.every(Boolean),
    };
}
