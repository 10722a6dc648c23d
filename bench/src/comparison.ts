import { summarize, type Summary } from "./statistics";
import type { Duration, Life } from "./subjects";

/** One figure of both programs, in seconds, and their ratio. */
export interface Comparison {
    readonly what: string;
    readonly quickstart: Summary;
    readonly twin: Summary;
    /** The quickstart's figure divided by the twin's of the same repeat. */
    readonly ratio: Summary;
    /** The ratio aimed at, where there is an aim. */
    readonly aim?: number;
}

const figures: readonly {
    what: string;
    of: (life: Life) => number;
    aim?: number;
}[] = [
    { what: "up", of: ({ up }) => up.whole },
    { what: "up, without waiting", of: ({ up }) => busy(up), aim: 1.25 },
    { what: "up, processor", of: ({ up }) => up.processor },
    { what: "preview, no change", of: ({ preview }) => preview.whole, aim: 1.15 },
    { what: "preview, processor", of: ({ preview }) => preview.processor },
    { what: "destroy", of: ({ destroy }) => destroy.whole },
    { what: "destroy, without waiting", of: ({ destroy }) => busy(destroy), aim: 1.15 },
    { what: "destroy, processor", of: ({ destroy }) => destroy.processor },
];

function busy({ whole, waited }: Duration): number {
    return whole - waited;
}

/** Compares repeats made in turn. */
export function compare(quickstart: readonly Life[], twin: readonly Life[]): Comparison[] {
    return figures.map(({ what, of, aim }) => {
        const [ours, theirs] = [quickstart.map(of), twin.map(of)];
        return {
            what,
            quickstart: summarize(ours),
            twin: summarize(theirs),
            ratio: summarize(ours.map((figure, index) => figure / (theirs[index] ?? NaN))),
            ...(aim === undefined ? {} : { aim }),
        };
    });
}
