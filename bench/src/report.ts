import type { Comparison } from "./comparison";
import type { RenderingFigures } from "./rendering";
import type { Share, StateSize } from "./state";
import type { Summary } from "./statistics";

/** Everything one run measured. */
export interface Figures {
    readonly date: string;
    readonly machine: { readonly cores: number; readonly node: string; readonly engine: string };
    /** Load averages (1, 5, 15 minutes) before and after: what else the machine did. */
    readonly load: { readonly before: number[]; readonly after: number[] };
    readonly repeats: number;
    readonly commands: readonly Comparison[];
    readonly state: StateSize;
    readonly twinState: StateSize;
    readonly rendering: RenderingFigures;
}

/** The figures as text for a terminal. */
export function render(figures: Figures): string {
    const { machine, load, repeats, commands, rendering, state, twinState } = figures;
    const loads = [load.before, load.after].map((of) => of.map((one) => one.toFixed(1)).join(" "));
    return [
        `${figures.date}, ${machine.cores} cores, Node.js ${machine.node}, ${machine.engine}`,
        `load average before ${loads[0]}, after ${loads[1]}; ${repeats} repeats of each, in turn`,
        "",
        "Commands of the engine, in seconds: median (least to most)",
        table(
            ["", "quickstart", "twin", "ratio", "aim"],
            commands.map(({ what, quickstart, twin, ratio, aim }) => [
                what,
                spread(quickstart),
                spread(twin),
                spread(ratio),
                aim === undefined ? "" : `${aim}`,
            ]),
        ),
        "",
        `Files of one node: ${rendering.files}, ${kilobytes(rendering.bytes)}; the first pass ${rendering.firstPass.toFixed(0)} ms`,
        table(
            ["", "files per second", "times rendering"],
            (["rendered", "replaced", "read"] as const).map((way) => [
                { rendered: "rendered", replaced: "replaceAll", read: "read from disk" }[way],
                spread(rendering[way], 0),
                (rendering[way].median / rendering.rendered.median).toFixed(2),
            ]),
        ),
        "",
        "State",
        table(
            ["", "quickstart", "twin"],
            (
                [
                    ["resources", (of) => String(of.resources)],
                    ["state file", (of) => kilobytes(of.checkpoint)],
                    ["inputs in it", (of) => kilobytes(of.inputs)],
                    ["provider text", (of) => `${of.providerText} B`],
                ] as [string, (of: StateSize) => string][]
            ).map(([name, show]) => [name, show(state), show(twinState)]),
        ),
        "",
        sharesTable("By type of resource", state, state.byType),
        "",
        sharesTable("By property of a resource's record", state, state.byField.slice(0, 8)),
        "",
        sharesTable("Largest resources", state, state.largest),
    ].join("\n");
}

function sharesTable(title: string, { checkpoint }: StateSize, shares: readonly Share[]): string {
    return table(
        [title, "count", "size", "share"],
        shares.map(({ name, count, bytes }) => [
            name,
            String(count),
            kilobytes(bytes),
            `${((100 * bytes) / checkpoint).toFixed(0)} %`,
        ]),
    );
}

/** A summary as `median (least to most)`. */
export function spread({ median, min, max }: Summary, digits = 2): string {
    return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
}

function kilobytes(bytes: number): string {
    return `${(bytes / 1000).toFixed(1)} kB`;
}

/** Columns as wide as their widest cell; the first to the left, all others to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
    const lines = [header, ...rows];
    const widths = header.map((_, column) =>
        Math.max(...lines.map((line) => line[column]?.length ?? 0)),
    );
    return lines
        .map((line) =>
            line
                .map((cell, column) => {
                    const width = widths[column] ?? 0;
                    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
                })
                .join("  ")
                .trimEnd(),
        )
        .join("\n");
}
