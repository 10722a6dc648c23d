import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";

import { Command, InvalidArgumentError } from "commander";

import { ensureEngine } from "../../tools/dist/engine";
import { folderAt } from "../../tools/dist/playground/folder";
import { openPlayground } from "../../tools/dist/playground/playground";
import { stopServices } from "../../tools/dist/playground/services";
import { compare } from "./comparison";
import { measureRendering } from "./rendering";
import { type Figures, render } from "./report";
import { measureState, type StateResource, type StateSize } from "./state";
import {
    checkpointBytes,
    type Life,
    live,
    quickstartSubject,
    stateOf,
    type Subject,
    twinSubject,
} from "./subjects";

interface Options {
    repeats: number;
    json?: string;
}

new Command("npm run bench --")
    .description("Measures the quickstart against a twin with empty providers, and the templates")
    .option("--repeats <n>", "lives of each, 3 or more", atLeastThree, 5)
    .option("--json <file>", "also write the figures as JSON")
    .action(async ({ repeats, json }: Options) => {
        const figures = await measure(repeats);
        console.log(render(figures));
        if (json !== undefined) {
            writeFileSync(json, `${JSON.stringify(figures, undefined, 4)}\n`);
        }
    })
    .parseAsync()
    .catch((error: unknown) => {
        console.error(error instanceof Error ? error.message : error);
        process.exitCode = 1;
    });

function atLeastThree(text: string): number {
    const count = Number(text);
    if (!Number.isInteger(count) || count < 3) {
        throw new InvalidArgumentError("give a whole number, 3 or more.");
    }
    return count;
}

async function measure(repeats: number): Promise<Figures> {
    const before = loadavg();
    const root = mkdtempSync(join(tmpdir(), "bench-"));
    const folder = folderAt(join(root, "quickstart"));
    const remove = async () => {
        await stopServices(folder);
        rmSync(root, { recursive: true, force: true });
    };
    // The services are processes of their own, which an interrupt does not reach.
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
        process.once(signal, () => void remove().finally(() => process.exit(1)));
    }
    try {
        const playground = await openPlayground(folder, { ports: { server: 0 } });
        const quickstart = quickstartSubject(playground);

        progress("quickstart: first life, not counted");
        let state: StateSize | undefined;
        let resources: StateResource[] = [];
        await live(quickstart, async () => {
            state = measureState(await stateOf(quickstart), checkpointBytes(quickstart));
            resources = await stateOf(quickstart, true);
        });

        progress("rendering");
        const rendering = measureRendering(
            resources,
            {
                url: playground.services.bootstrapUrl,
                caPem: playground.services.bootstrapCaPem,
            },
            join(root, "files"),
        );

        progress("twin: first life, not counted");
        const twin = await twinSubject(playground, join(root, "twin"), resources);
        let twinState: StateSize | undefined;
        await live(twin, async () => {
            twinState = measureState(await stateOf(twin), checkpointBytes(twin));
        });
        if (state === undefined || twinState === undefined) {
            throw new Error("a first life ended without a state");
        }
        mustBeTwins(state, twinState);

        const lives = await alternate(quickstart, twin, repeats);
        return {
            date: new Date().toISOString(),
            machine: {
                cores: cpus().length,
                node: process.version,
                engine: await engineVersion(),
            },
            load: { before, after: loadavg() },
            repeats,
            commands: compare(lives.quickstart, lives.twin),
            state,
            twinState,
            rendering,
        };
    } finally {
        await remove();
    }
}

/** Lives of both in turn, so that what else the machine does meets both. */
async function alternate(
    quickstart: Subject,
    twin: Subject,
    repeats: number,
): Promise<{ quickstart: Life[]; twin: Life[] }> {
    const lives = { quickstart: [] as Life[], twin: [] as Life[] };
    for (let repeat = 1; repeat <= repeats; repeat += 1) {
        progress(`repeat ${repeat} of ${repeats}`);
        lives.quickstart.push(await live(quickstart));
        lives.twin.push(await live(twin));
    }
    return lives;
}

/** The comparison holds only when both register as many resources of each type. */
function mustBeTwins(state: StateSize, twin: StateSize): void {
    const counts = ({ byType }: StateSize) =>
        byType
            .map(({ name, count }) => `${name} ${count}`)
            .sort()
            .join(", ");
    if (counts(state) !== counts(twin)) {
        throw new Error(`the twin has ${counts(twin)}; the quickstart has ${counts(state)}`);
    }
}

async function engineVersion(): Promise<string> {
    const { version, standIns } = await ensureEngine(progress);
    return [`pulumi ${version}`, ...standIns].join(", ");
}

function progress(line: string): void {
    console.error(`bench: ${line}`);
}
