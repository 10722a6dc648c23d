import { spread } from "../report";
import type { Rates } from "./fetches";
import type { ServerFigures } from "./figures";
import type { StormResult } from "./storms";

/** The figures as docs/benchmarks.md has them. */
export function renderServer({
    date,
    machine,
    load,
    repeats,
    fetches,
    storms,
}: ServerFigures): string {
    const [before, after] = [load.before[0] ?? 0, load.after[0] ?? 0];
    const row = (name: string, { perSecond, processor, database, p50, p99, wrong }: Rates) => [
        name,
        spread(perSecond, 0),
        processor.median.toFixed(0),
        database.median.toFixed(0),
        p50.median.toFixed(1),
        p99.median.toFixed(0),
        String(wrong),
    ];
    const { ratios, processorRatios } = fetches;
    const size = `${(fetches.bundleBytes / 1000).toFixed(1)} kB`;
    return [
        `${date.slice(0, 10)}, ${machine.cores} cores, Node.js ${machine.node}, ${repeats} measurements of ${fetches.seconds} s, load average ${before.toFixed(0)} before, ${after.toFixed(0)} after:`,
        markdownTable(
            [
                "median (least to most)",
                "per second",
                "processor, µs",
                "database, µs",
                "p50 ms",
                "p99 ms",
                "wrong",
            ],
            [
                row(`bundle, ${size}`, fetches.bundle),
                row("`node:https`, same bytes", fetches.bareHttps),
                row("`node:http`, same bytes", fetches.bareHttp),
                row("unchanged", fetches.unchanged),
                row("`node:https`, 304", fetches.bareHttpsUnchanged),
            ],
        ),
        markdownTable(
            ["ratio", "of rates", "of processor time"],
            (
                [
                    ["bundle to `node:https`", "bundle"],
                    ["bundle to `node:http`", "bundleToHttp"],
                    ["unchanged to `node:https`", "unchanged"],
                ] as const
            ).map(([name, key]) => [name, spread(ratios[key]), spread(processorRatios[key])]),
        ),
        ...(storms.length === 0 ? [] : [stormsTable(storms)]),
    ].join("\n\n");
}

function stormsTable(storms: readonly StormResult[]): string {
    return markdownTable(
        [
            "replicas",
            "VMs",
            "with their bundle",
            "wrong",
            "seconds",
            "bundle: p50, p99, most",
            "answers",
            "calls of Excloud",
            "memory",
        ],
        storms.map(({ bundle, memory, ...one }) => [
            String(one.replicas),
            String(one.vms),
            String(one.served),
            String(one.wrong),
            one.seconds.toFixed(0),
            `${[bundle.p50, bundle.p99, bundle.most].map((ms) => ms.toFixed(0)).join(", ")} ms`,
            Object.entries(one.statuses)
                .map(([status, count]) => `${count} x ${status}`)
                .join(", "),
            String(one.cloudCalls.me + one.cloudCalls.compute),
            `${megabytes(memory.first)} to ${megabytes(memory.last)} MB, ${one.memoryRatio.toFixed(2)}`,
        ]),
    );
}

function megabytes(bytes: number): string {
    return (bytes / 1e6).toFixed(0);
}

/** A table that prettier leaves as it is. */
function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
    const lines = [header, ...rows];
    const widths = header.map((_, column) =>
        Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)),
    );
    const text = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
    const padded = lines.map((line) =>
        text(widths.map((width, column) => (line[column] ?? "").padEnd(width))),
    );
    padded.splice(1, 0, text(widths.map((width) => "-".repeat(width))));
    return padded.join("\n");
}
