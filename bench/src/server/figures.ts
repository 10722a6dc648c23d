import type { FetchFigures } from "./fetches";
import type { StormResult } from "./storms";

/** Everything one run measured. */
export interface ServerFigures {
    date: string;
    machine: { cores: number; node: string };
    load: { before: number[]; after: number[] };
    repeats: number;
    fetches: FetchFigures;
    storms: StormResult[];
}
