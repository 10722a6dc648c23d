import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

import { engineEnvironment } from "../../tools/dist/engine";
import { REPOSITORY } from "../../tools/dist/engine/repository";
import { Stack } from "../../tools/dist/engine/stack";
import type { Playground } from "../../tools/dist/playground/playground";
import { processorTimeOfChildren } from "./processor-time";
import { exportState, type StateResource } from "./state";
import { twinPlan } from "./twin-plan";
import { OperationLog, waitedForMachines } from "./waiting";

/** A stack that is measured. */
export interface Subject {
    readonly name: string;
    readonly stack: Stack;
    /** The file in which the backend keeps the state. */
    readonly checkpoint: string;
}

/** Seconds that a command took. */
export interface Duration {
    readonly whole: number;
    /** Of these, waiting for machines and nothing else. */
    readonly waited: number;
    /** Processor time of the command, its plugins and the program. */
    readonly processor: number;
}

/** The commands of one repeat. */
export interface Life {
    readonly up: Duration;
    readonly preview: Duration;
    readonly destroy: Duration;
}

/** The quickstart on its playground. */
export function quickstartSubject({ stack, folder }: Playground): Subject {
    return { name: "quickstart", stack, checkpoint: checkpointIn(folder.state, stack) };
}

/**
 * A stack of the twin program, with the same engine, kind of backend and configuration as the quickstart's.
 *
 * @param resources the quickstart's state, with secrets in the clear
 */
export async function twinSubject(
    { stack: original, folder }: Playground,
    root: string,
    resources: readonly StateResource[],
): Promise<Subject> {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const plan = join(root, "plan.json");
    writeFileSync(plan, JSON.stringify(twinPlan(resources)), { mode: 0o600 });
    writeFileSync(
        join(root, "Pulumi.yaml"),
        readFileSync(folder.projectFile, "utf8").replace(
            /^main: .*$/m,
            `main: ${join(REPOSITORY, "bench/twin")}`,
        ),
    );
    copyFileSync(folder.configFile, join(root, basename(folder.configFile)));
    const state = join(root, "state");
    const { pulumi, env } = await engineEnvironment({
        home: join(root, "pulumi-home"),
        backend: pathToFileURL(state).href,
        passphrase: readFileSync(folder.passphraseFile, "utf8"),
    });
    const { name } = original.options;
    const stack = new Stack({
        pulumi,
        env: { ...env, BENCH_TWIN_PLAN: plan },
        project: root,
        name,
    });
    await stack.ensure();
    return { name: "twin", stack, checkpoint: checkpointIn(state, stack) };
}

function checkpointIn(state: string, { options: { name } }: Stack): string {
    return join(state, `.pulumi/stacks/quickstart/${name}.json`);
}

/** The bytes of a subject's state, as the backend keeps it. */
export function checkpointBytes({ checkpoint }: Subject): number {
    return statSync(checkpoint).size;
}

/** Creates everything, previews without a change, destroys everything. */
export async function live(
    subject: Subject,
    whenUp: () => Promise<void> = () => Promise.resolve(),
): Promise<Life> {
    const up = await timed(subject, ["up", "--yes", "--skip-preview", "--json"]);
    await whenUp();
    const preview = await timed(subject, ["preview", "--expect-no-changes"]);
    const destroy = await timed(subject, ["destroy", "--yes", "--skip-preview", "--json"]);
    return { up, preview, destroy };
}

async function timed({ name, stack }: Subject, args: string[]): Promise<Duration> {
    const log = new OperationLog();
    const processorBefore = processorTimeOfChildren();
    const began = performance.now();
    const { code, stdout, stderr } = await stack.capture(args, (line) => log.line(line));
    const whole = (performance.now() - began) / 1000;
    if (code !== 0) {
        throw new Error(
            `${name}: pulumi ${args[0]} ended with ${code}:\n${stderr}${stdout.slice(-4000)}`,
        );
    }
    return {
        whole,
        waited: waitedForMachines(log.operations) / 1000,
        processor: processorTimeOfChildren() - processorBefore,
    };
}

/** The exported state while the subject is up. */
export function stateOf({ stack }: Subject, withSecrets = false): Promise<StateResource[]> {
    return exportState(stack, withSecrets);
}
