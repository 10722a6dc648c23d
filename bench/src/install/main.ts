import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";

import { Command } from "commander";

import { packAll } from "../../../tools/dist/packages/pack";
import { summarize, type Summary } from "../statistics";
import { install, start, type Candidate, type Installation, type Start } from "./project";

/** How often programs are started: more often than installed, as it is quick. */
const startsPerInstallation = 5;

/** Figures of one candidate. */
interface Measured {
    readonly install: Record<keyof Installation, Summary>;
    /** Loading the SDK and the package. */
    readonly start: Record<keyof Start, Summary>;
}

new Command("npm run bench:install --")
    .description(
        "Size, installation and start of the package, against @pulumi/eks and an empty program",
    )
    .option("--repeats <n>", "installations of each, in turn", Number, 3)
    .action(async ({ repeats }: { repeats: number }) => {
        const root = mkdtempSync(join(tmpdir(), "bench-install-"));
        try {
            console.log(JSON.stringify(await measure(root, repeats), undefined, 4));
        } finally {
            rmSync(root, { recursive: true, force: true });
        }
    })
    .parseAsync()
    .catch((error: unknown) => {
        console.error(error instanceof Error ? error.message : error);
        process.exitCode = 1;
    });

async function measure(root: string, repeats: number): Promise<object> {
    const before = loadavg();
    const tarballs = join(root, "tarballs");
    mkdirSync(tarballs);
    const packed = await packAll(tarballs);
    const ours: Candidate = { name: "excloud-k8s", spec: packed["excloud-k8s"].file };
    const peer: Candidate = { name: "@pulumi/eks", spec: "@pulumi/eks" };

    const installations: Record<string, Installation[]> = {};
    const starts: Record<string, Start[]> = {};
    for (let repeat = 0; repeat < repeats; repeat++) {
        for (const candidate of [ours, peer]) {
            const folder = join(root, String(repeat), candidate.name);
            console.error(`${candidate.name}: installation ${repeat + 1} of ${repeats}`);
            (installations[candidate.name] ??= []).push(await install(folder, candidate));
        }
        for (let again = 0; again < startsPerInstallation; again++) {
            for (const [name, from, modules] of programs(ours, peer)) {
                const folder = join(root, String(repeat), from.name);
                (starts[name] ??= []).push(await start(folder, modules));
            }
        }
    }
    const measured = (name: string): Measured => ({
        install: summarizeEach(installations[name]!),
        start: summarizeEach(starts[name]!),
    });
    const figures = { [ours.name]: measured(ours.name), [peer.name]: measured(peer.name) };
    const empty = summarizeEach(starts["empty"]!);
    return {
        date: new Date().toISOString(),
        machine: { cores: cpus().length, node: process.version },
        load: { before, after: loadavg() },
        repeats,
        tarballs: Object.fromEntries(
            Object.entries(packed).map(([name, { size, unpackedSize, paths }]) => [
                name,
                { size, unpackedSize, files: paths.length },
            ]),
        ),
        figures,
        emptyProgram: empty,
        ratios: {
            [`installation, ${peer.name} over ours`]: ratios(
                figures[peer.name]!.install,
                figures[ours.name]!.install,
            ),
            "start, ours over an empty program": ratios(figures[ours.name]!.start, empty),
            [`start, ${peer.name} over an empty program`]: ratios(figures[peer.name]!.start, empty),
        },
    };
}

/** What is started: its name, whose installation it uses, what it loads. */
function programs(
    ours: Candidate,
    peer: Candidate,
): readonly (readonly [name: string, from: Candidate, modules: readonly string[]])[] {
    return [
        ["empty", ours, ["@pulumi/pulumi"]],
        ...[ours, peer].map(
            (candidate) => [candidate.name, candidate, ["@pulumi/pulumi", candidate.name]] as const,
        ),
    ];
}

function summarizeEach<T extends object>(all: readonly T[]): Record<keyof T, Summary> {
    return Object.fromEntries(
        (Object.keys(all[0]!) as (keyof T)[]).map((key) => [
            key,
            summarize(all.map((one) => one[key] as number)),
        ]),
    ) as Record<keyof T, Summary>;
}

/** Of the medians. */
function ratios<K extends string>(
    left: Record<K, Summary>,
    right: Record<K, Summary>,
): Record<K, number> {
    return Object.fromEntries(
        (Object.keys(left) as K[]).map((key) => [
            key,
            Number((left[key].median / right[key].median).toFixed(2)),
        ]),
    ) as Record<K, number>;
}
