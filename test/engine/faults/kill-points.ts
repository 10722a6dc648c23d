import * as fc from "fast-check";

/**
 * What is under way when the machine that runs Pulumi dies. What was to be created is either made by the next
 * `up`, or given up: destroyed without one.
 */
export type Phase = "create" | "update" | "replace" | "destroy" | "create in vain";

/** A moment of a run at which it is killed. */
export interface KillPoint {
    readonly round: number;
    readonly phase: Phase;
    /** So many lines about dynamic resources, of their beginnings and ends, have been printed. */
    readonly line: number;
    /** Milliseconds after that line. */
    readonly delay: number;
    /** The engine alone: its provider goes on with what it was at. */
    readonly engineOnly: boolean;
}

/** How many such lines a run of the smallest cluster prints. */
const lines: Record<Phase, number> = {
    create: 18,
    update: 6,
    replace: 15,
    destroy: 18,
    "create in vain": 18,
};

const phases = Object.keys(lines) as Phase[];

/** Longer than most operations take: it falls anywhere into them. */
const longestDelayMs = 400;

/** Begins or ends the work on a dynamic resource. */
export const isProgress = (line: string): boolean =>
    /dynamic\/excloud-k8s:\w+ \S+ (creat|updat|replac|delet)(ing|ed)\b/.test(line);

/** In each round a cluster goes through all phases, and each is killed once. */
export function killPoints(seed: number, rounds: number): KillPoint[] {
    const pointsOf = (phase: Phase, index: number) =>
        fc.sample(
            fc.record({
                line: fc.integer({ min: 1, max: lines[phase] }),
                delay: fc.integer({ min: 0, max: longestDelayMs }),
                engineOnly: fc.boolean(),
            }),
            { seed: seed + index, numRuns: rounds },
        );
    const byPhase = phases.map(pointsOf);
    return Array.from({ length: rounds }, (_, round) =>
        phases.map((phase, index) => ({ round, phase, ...byPhase[index]![round]! })),
    ).flat();
}
