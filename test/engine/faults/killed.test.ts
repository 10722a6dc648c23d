import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { isAlive } from "../../../cli/processes";
import { setArguments } from "../../../tools/playground/playground";
import { isFull } from "../../support/sample";
import { seed } from "../../support/seed";
import { unlock } from "../cli/command";
import { type Bench, openBench, typeOf } from "../cluster/harness";
import { endAll, runAndKill } from "./kill";
import { type KillPoint, killPoints, type Phase } from "./kill-points";
import { declared, found } from "./leftovers";
import { up } from "./support";

// The machine that runs Pulumi dies in the middle of a run, at points drawn from a seed. Each time the
// documented way back, `excloud-k8s unlock` and the same command again, must leave exactly what the state
// declares. The points of a round build on each other.

const points = killPoints(seed, isFull ? 8 : 1);
const counts = { killed: 0, adopted: 0, providersLeft: 0, pending: 0, leaked: 0, duplicated: 0 };

let bench: Bench;

beforeAll(async () => {
    process.stderr.write(`kill points: EXCLOUD_FULL=${isFull ? 1 : 0}\n`);
    bench = await openBench({ arguments: { controlPlaneCount: 1 } });
});
afterAll(async () => {
    process.stderr.write(`kill points: ${points.length}, ${JSON.stringify(counts)}\n`);
    await bench?.close();
});

/** How the run of a phase is started. */
const commands: Record<Phase, (round: number) => Promise<string[]>> = {
    create: () => Promise.resolve(["up"]),
    update: async (round) => {
        await setArguments(bench.stack, [`apiServerExtraArgs.goaway-chance=0.00${round + 1}`]);
        await bench.stack.set("cluster.apiServerAllowedCidrs[0]", `10.0.${round}.0/24`);
        return ["up"];
    },
    replace: async () => {
        const vm = (await bench.resources()).find((r) => typeOf(r) === "VirtualMachine");
        return ["up", "--replace", vm!.urn];
    },
    destroy: () => Promise.resolve(["destroy"]),
    "create in vain": () => Promise.resolve(["up"]),
};

/** After these the cluster is to be gone. */
const ends: readonly Phase[] = ["destroy", "create in vain"];

test.each(points)(
    "round $round: killed in $phase $delay ms after line $line (engine only: $engineOnly)",
    async (point) => {
        const args = await commands[point.phase](point.round);
        const run = await runAndKill(bench.stack, args, point);
        counts.killed += run.wasKilled ? 1 : 0;
        const providers = run.left.filter(({ isProvider }) => isProvider);
        counts.providersLeft += providers.length;

        await mustUnlock(run.wasKilled);
        expect(providers.filter(({ pid }) => isAlive(pid))).toEqual([]);
        endAll(run.left);
        await (ends.includes(point.phase) ? mustEnd() : mustConverge(point));
    },
);

test("the runs really were killed", () => {
    expect(counts.killed).toBeGreaterThan(points.length / 2);
});

async function mustUnlock(wasKilled: boolean): Promise<void> {
    const { code, text } = await unlock(bench.stack);
    expect([code, text]).toEqual([
        0,
        expect.stringMatching(wasKilled ? /Unlocked/ : /nothing to do/),
    ]);
    counts.pending += text.includes("interrupted while") ? 1 : 0;
    const again = await unlock(bench.stack, []);
    expect([again.code, again.text]).toEqual([0, expect.stringContaining("nothing to do")]);
}

async function mustConverge({ phase }: KillPoint): Promise<void> {
    const { code, text } = await up(bench.stack);
    expect([phase, code, text]).toEqual([phase, 0, expect.not.stringContaining("warning:")]);
    counts.adopted += text.includes("was left by an interrupted run: adopted") ? 1 : 0;
    await mustHoldWhatIsDeclared();
    await bench.pulumi(["preview", "--expect-no-changes"]);
}

async function mustEnd(): Promise<void> {
    const text = await bench.pulumi(["destroy", "--yes", "--skip-preview"]);
    expect(text).not.toContain("warning:");
    await mustHoldWhatIsDeclared();
    expect(await bench.resources()).toEqual([]);
}

async function mustHoldWhatIsDeclared(): Promise<void> {
    const [inCloud, inState] = [await found(bench), declared(await bench.resources())];
    counts.leaked += inCloud.filter((thing) => !inState.includes(thing)).length;
    counts.duplicated += inCloud.length - new Set(inCloud).size;
    expect(inCloud).toEqual(inState);
}
