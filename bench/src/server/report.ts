import { spread, table } from "../report";
import type { Rates } from "./fetches";
import type { ServerFigures } from "./main";

/** The figures as text for a terminal. */
export function renderServer({
    date,
    machine,
    load,
    repeats,
    fetches,
    storms,
}: ServerFigures): string {
    const loads = [load.before, load.after].map((of) => of.map((one) => one.toFixed(1)).join(" "));
    const row = (name: string, { perSecond, processor, database, p50, p99, wrong }: Rates) => [
        name,
        spread(perSecond, 0),
        processor.median.toFixed(0),
        database.median.toFixed(0),
        spread(p50),
        spread(p99),
        String(wrong),
    ];
    const { ratios, processorRatios } = fetches;
    return [
        `${date}, ${machine.cores} cores, Node.js ${machine.node}`,
        `load average before ${loads[0]}, after ${loads[1]}; ${repeats} measurements of each, in turn`,
        "",
        `Fetches of ${fetches.bundleBytes} bytes, ${fetches.connections} connections, ${fetches.seconds} s each`,
        table(
            ["", "per second", "processor us", "database us", "p50 ms", "p99 ms", "wrong"],
            [
                row("bundle", fetches.bundle),
                row("node:https, same bytes", fetches.bareHttps),
                row("node:http, same bytes", fetches.bareHttp),
                row("unchanged (304)", fetches.unchanged),
                row("node:https, 304", fetches.bareHttpsUnchanged),
            ],
        ),
        "",
        table(
            ["ratio", "of rates", "of processor time", "aim"],
            (
                [
                    ["bundle to node:https", "bundle", "0.5"],
                    ["bundle to node:http", "bundleToHttp", ""],
                    ["unchanged to node:https", "unchanged", ""],
                ] as const
            ).map(([name, key, aim]) => [
                name,
                spread(ratios[key]),
                spread(processorRatios[key]),
                aim,
            ]),
        ),
        "",
        "Storms: VMs that ask for their first bundle until they have it",
        table(
            [
                "replicas",
                "VMs",
                "served",
                "wrong",
                "seconds",
                "answers",
                "calls of Excloud",
                "memory",
            ],
            storms.map((one) => [
                String(one.replicas),
                String(one.vms),
                String(one.served),
                String(one.wrong),
                one.seconds.toFixed(0),
                Object.entries(one.statuses)
                    .map(([status, count]) => `${count} x ${status}`)
                    .join(", "),
                String(one.cloudCalls.me + one.cloudCalls.compute),
                `${megabytes(one.memory.first)} to ${megabytes(one.memory.last)}, x ${one.memoryRatio.toFixed(2)}`,
            ]),
        ),
    ].join("\n");
}

function megabytes(bytes: number): string {
    return `${(bytes / 1e6).toFixed(0)} MB`;
}
