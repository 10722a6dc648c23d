import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";

import { Command } from "commander";

import { packAll } from "../../../tools/dist/packages/pack";
import { parseRepeats } from "../arguments";
import { summarize, type Summary } from "../statistics";
import { type Candidate, install, type Installation, type Start, start } from "./project";

/** How often programs are started: more often than installed, as it is quick. */
const startsPerInstallation = 5;

/** Figures of one candidate. */
type Summaries = Record<keyof Installation | keyof Start, Summary>;

new Command("npm run bench:install --")
    .description(
        "Size, installation and start of the package, against @pulumi/eks and an empty program",
    )
    .option("--repeats <n>", "installations of each, in turn", parseRepeats, 3)
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
    const empty = candidate("empty program", []);
    const ours = candidate("excloud-k8s", [packed["excloud-k8s"].file]);
    const peer = candidate("@pulumi/eks", ["@pulumi/eks"]);
    const candidates = [empty, ours, peer];

    const runs = new Map(candidates.map((one) => [one, new Runs()]));
    for (let repeat = 0; repeat < repeats; repeat++) {
        const folderOf = ({ name }: Candidate) => join(root, String(repeat), name);
        for (const one of candidates) {
            console.error(`${one.name}: installation ${repeat + 1} of ${repeats}`);
            runs.get(one)!.installations.push(await install(folderOf(one), one));
        }
        // The first start of each reads files that the system does not hold yet, and does not count.
        for (let again = 0; again <= startsPerInstallation; again++) {
            for (const one of again % 2 === 0 ? candidates : candidates.toReversed()) {
                const started = await start(folderOf(one), one);
                if (again > 0) {
                    runs.get(one)!.starts.push(started);
                }
            }
        }
    }
    const of = (one: Candidate) => runs.get(one)!.summary();
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
        figures: Object.fromEntries(candidates.map((one) => [one.name, of(one)])),
        ratios: {
            "ours over an empty program": ratios(of(ours), of(empty)),
            [`${peer.name} over an empty program`]: ratios(of(peer), of(empty)),
            [`ours over ${peer.name}`]: ratios(of(ours), of(peer)),
        },
    };
}

function candidate(name: string, packages: readonly string[]): Candidate {
    const loaded = packages.length === 0 ? [] : [name];
    return {
        name,
        specs: ["@pulumi/pulumi@3", ...packages],
        modules: ["@pulumi/pulumi", ...loaded],
    };
}

/** What was measured of one candidate. */
class Runs {
    readonly installations: Installation[] = [];
    readonly starts: Start[] = [];

    summary(): Summaries {
        return { ...summarizeEach(this.installations), ...summarizeEach(this.starts) };
    }
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
function ratios(left: Summaries, right: Summaries): Record<string, number> {
    return Object.fromEntries(
        (Object.keys(left) as (keyof Summaries)[]).map((key) => [
            key,
            Number((left[key].median / right[key].median).toFixed(2)),
        ]),
    );
}
