import { spread, table } from "../report";
import { summarize } from "../statistics";
import type { Boot } from "./contestants";

/** What the figures are to be at most: ours divided by the other's. */
const aims: Readonly<Record<string, Readonly<Record<string, number>>>> = {
    "kubeadm, CoreDNS at once": { "API ready": 0.75, "all addons ready": 0.25 },
    "kubeadm, CoreDNS after kube-proxy": { "all addons ready": 0.65 },
};

/** Medians of all contestants, their ratios, and the time line of our boot. */
export function renderBoots(boots: Readonly<Record<string, readonly Boot[]>>): string {
    const { ours = [], ...others } = boots;
    const milestones = Object.keys(ours[0]?.reached ?? {}) as (keyof Boot["reached"])[];
    const secondsOf = (of: readonly Boot[], milestone: keyof Boot["reached"]) =>
        summarize(of.map(({ reached }) => reached[milestone]));
    return [
        "Seconds from power-on: median (least to most)",
        table(
            ["", "ours", ...Object.keys(others)],
            milestones.map((milestone) => [
                milestone,
                ...[ours, ...Object.values(others)].map((of) =>
                    spread(secondsOf(of, milestone), 1),
                ),
            ]),
        ),
        "",
        "Ours divided by the other's medians",
        table(
            ["", ...Object.keys(others).flatMap((name) => [name, "aim"])],
            milestones.map((milestone) => [
                milestone,
                ...Object.entries(others).flatMap(([name, of]) => [
                    (secondsOf(ours, milestone).median / secondsOf(of, milestone).median).toFixed(
                        2,
                    ),
                    String(aims[name]?.[milestone] ?? ""),
                ]),
            ]),
        ),
        "",
        "Time line of our boot, median seconds from power-on",
        table(["", "s"], timeLine(ours)),
    ].join("\n");
}

function timeLine(boots: readonly Boot[]): string[][] {
    const names = new Set(boots.flatMap((boot) => Object.keys(boot.timeLine)));
    return [...names]
        .map((name) => ({
            name,
            at: summarize(boots.flatMap((boot) => boot.timeLine[name] ?? [])).median,
        }))
        .sort((a, b) => a.at - b.at)
        .map(({ name, at }) => [name, at.toFixed(1)]);
}
