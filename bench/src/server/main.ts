import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";

import { Command, InvalidArgumentError } from "commander";

import { startPostgres } from "../../../tools/dist/postgres/postgres";
import { measureFetches } from "./fetches";
import type { ServerFigures } from "./figures";
import { type Service, startService } from "./processes";
import { renderServer } from "./report";
import { storm, type StormResult } from "./storms";
import { newShared, startReplica } from "./world";

interface Options {
    repeats: number;
    seconds: number;
    connections: number;
    vms: number;
    json?: string;
    profile?: string;
}

new Command("npm run bench:server --")
    .description("The bootstrap server: bundles per second against Node.js alone, a storm of VMs")
    .option("--repeats <n>", "measurements of each contestant, in turn", wholeNumber, 3)
    .option("--seconds <n>", "length of a measurement", wholeNumber, 8)
    .option("--connections <n>", "agents that fetch at the same time", wholeNumber, 16)
    .option("--vms <n>", "VMs of a storm; 0 leaves storms out", wholeNumber, 10_000)
    .option("--json <file>", "also write the figures as JSON")
    .option("--profile <folder>", "write the server's processor profiles there (node --cpu-prof)")
    .action(async (options: Options) => {
        const figures = await measure(options);
        console.log(renderServer(figures));
        if (options.json !== undefined) {
            writeFileSync(options.json, `${JSON.stringify(figures, undefined, 4)}\n`);
        }
    })
    .parseAsync()
    .catch((error: unknown) => {
        console.error(error instanceof Error ? error.message : error);
        process.exitCode = 1;
    });

function wholeNumber(text: string): number {
    const number = Number(text);
    if (!Number.isInteger(number) || number < 0) {
        throw new InvalidArgumentError("give a whole number.");
    }
    return number;
}

async function measure(options: Options): Promise<ServerFigures> {
    const { repeats, vms, profile } = options;
    const before = loadavg();
    const root = mkdtempSync(join(tmpdir(), "bench-server-"));
    const running: Pick<Service, "stop">[] = [];
    const keep = <T extends Pick<Service, "stop">>(one: T): T => {
        running.push(one);
        return one;
    };
    try {
        const postgres = keep(await startPostgres({ durable: true }));
        const cloud = keep(await startService("./cloud", {}));
        const shared = newShared(postgres.url, cloud.url);
        const profiled = profile === undefined ? {} : { profile };
        const first = keep(await startReplica(join(root, "1"), shared, profiled));
        const { operatorToken } = shared;
        const fetches = await measureFetches(
            first,
            postgres.pid,
            operatorToken,
            root,
            options,
            progress,
        );
        const storms: StormResult[] = [];
        if (vms > 0) {
            storms.push(await storm([first], operatorToken, cloud.url, vms, progress));
            const second = keep(
                await startReplica(join(root, "2"), shared, { ...profiled, like: first }),
            );
            storms.push(await storm([first, second], operatorToken, cloud.url, vms, progress));
        }
        return {
            date: new Date().toISOString(),
            machine: { cores: cpus().length, node: process.version },
            load: { before, after: loadavg() },
            repeats,
            fetches,
            storms,
        };
    } finally {
        for (const one of running.reverse()) {
            await one.stop();
        }
        rmSync(root, { recursive: true, force: true });
    }
}

function progress(line: string): void {
    console.error(`bench: ${line}`);
}
