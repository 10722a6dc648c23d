import { type Phase, phases, type PhaseState } from "#contract/phases";

/** The phases of a boot; `applied` comes again and again after it. */
export const bootPhases = phases.filter((phase) => phase !== "applied");

/** A phase as its node reported it. */
export interface PhaseReport {
    phase: Phase;
    state: PhaseState;
    started_at: string;
    finished_at: string | null;
}

/** A phase on the time line, in seconds. */
export interface Span {
    phase: Phase;
    state: PhaseState;
    /** From the start of the first phase. */
    start: number;
    length: number;
    /** Whether it belongs to this boot; one that was run again much later is told of, not drawn. */
    drawn: boolean;
}

/** A phase that starts this long after the first is not of the same boot, in seconds. */
const longestBoot = 3600;

/**
 * The phases of a boot from the start of the first. The times are the node's own: a clock that is
 * wrong, or a node that lies, makes no length negative and no line endless.
 */
export function bootSpans(reports: readonly PhaseReport[], now: Date): Span[] {
    const ofBoot = reports.filter(({ phase }) => phase !== "applied");
    const origin = Math.min(...ofBoot.map((report) => Date.parse(report.started_at)));
    return ofBoot.map(({ phase, state, started_at, finished_at }) => {
        const started = Date.parse(started_at);
        const ended = finished_at === null ? now.getTime() : Date.parse(finished_at);
        const start = (started - origin) / 1000;
        // Done without an end: it took as good as no time.
        const open = finished_at === null && state !== "running";
        const length = open ? 0 : Math.max(0, (ended - started) / 1000);
        const drawn = start <= longestBoot && length <= longestBoot;
        return { phase, state, start, length, drawn };
    });
}

/** Seconds from the start of the first phase to the end of the last that is drawn. */
export function extent(spans: readonly Span[]): number {
    const ends = spans.filter(({ drawn }) => drawn).map(({ start, length }) => start + length);
    return Math.max(0, ...ends);
}

/** Steps between marks of an axis, in seconds. */
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800];

/** Marks of an axis of this length: at most seven, at round seconds, the first at 0. */
export function axisMarks(seconds: number): number[] {
    const step = steps.find((one) => seconds / one <= 6) ?? 3600;
    return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
}
