import { rmSync } from "node:fs";

import { backendOf, type Condition, conditionOf } from "./condition";
import { cutOffFilesOf } from "./cut-off-files";
import type { Pending } from "./exported";
import { end } from "./orphans";
import { CommandError, type Pulumi } from "./pulumi";
import { describe, heldBy, isClean, nextStep } from "./unlock-texts";

/** What `unlock` needs of the terminal. */
export interface Terminal {
    readonly say: (line: string) => void;
    /** Undefined when nobody can be asked. */
    readonly ask: ((question: string) => Promise<boolean>) | undefined;
}

/**
 * Makes a stack usable again whose run was killed: takes its lock away, ends what still runs of it, and
 * settles the operations that it had begun. Deletes nothing in the cloud.
 *
 * @param yes do not ask
 * @throws CommandError when it must not or cannot be done; the message says what to do
 */
export async function unlock(pulumi: Pulumi, terminal: Terminal, yes: boolean): Promise<void> {
    const { say } = terminal;
    const goOn = async () => {
        if (!yes) {
            await confirm(terminal.ask);
        }
    };
    const backend = await backendOf(pulumi);
    await mend(await cutOffFilesOf(backend), say, goOn);
    const condition = await conditionOf(pulumi, backend);
    describe(condition).forEach(say);
    const held = condition.locks?.find((lock) => lock.isHeld);
    if (held !== undefined) {
        throw new CommandError(heldBy(held));
    }
    if (isClean(condition)) {
        return;
    }
    await goOn();
    await endOrphans(condition, say);
    await cancel(condition, pulumi, say);
    await settle(condition.pending, pulumi, say);
    say(nextStep(condition.pending));
}

/** Before anything else: while there are such files, Pulumi reads no stack. */
async function mend(
    cutOff: readonly string[],
    say: Terminal["say"],
    goOn: () => Promise<void>,
): Promise<void> {
    if (cutOff.length > 0) {
        cutOff.forEach((file) => say(`${file} is cut off, so that Pulumi cannot read the state`));
        await goOn();
        say("Deleting it: it holds a checksum that Pulumi does without, and nothing of the state.");
        cutOff.forEach((file) => rmSync(file, { force: true }));
    }
}

async function confirm(ask: Terminal["ask"]): Promise<void> {
    if (ask === undefined) {
        throw new CommandError(
            "Nothing was changed: there is no terminal to ask at. " +
                "Next: when no run of this stack is under way on any machine, add --yes",
        );
    }
    if (!(await ask("Is no run of this stack under way on any machine, and shall I go on?"))) {
        throw new CommandError("Nothing was changed.");
    }
}

async function endOrphans({ orphans }: Condition, say: Terminal["say"]): Promise<void> {
    if (orphans.length > 0) {
        say(
            `Ending process ${orphans.join(", ")}: what it does can no longer be recorded, and it could ` +
                "create something beside the next run.",
        );
        await end(orphans);
    }
}

async function cancel({ locks }: Condition, pulumi: Pulumi, say: Terminal["say"]): Promise<void> {
    if (locks?.length === 0) {
        return;
    }
    say("pulumi cancel: takes the lock away.");
    await must(pulumi, ["cancel", "--yes"]);
}

/**
 * Only what a killed run was at can differ from the state: a refresh of more would also take over what
 * somebody changed in the cloud. Creations are dropped: names are deterministic, so the next `up` finds and
 * adopts what they made.
 */
async function settle(
    pending: readonly Pending[],
    pulumi: Pulumi,
    say: Terminal["say"],
): Promise<void> {
    if (pending.length === 0) {
        return;
    }
    const known = [...new Set(pending.filter((p) => p.type !== "creating").map((p) => p.urn))];
    const scope =
        known.length === 0 ? ["--exclude", "**"] : known.flatMap((urn) => ["--target", urn]);
    say(
        "pulumi refresh --clear-pending-creates: drops the creations from the state" +
            (known.length === 0
                ? "; no resource is read."
                : ", and reads from the cloud what became of the other operations."),
    );
    await must(pulumi, [
        "refresh",
        "--clear-pending-creates",
        "--yes",
        "--skip-preview",
        "--suppress-outputs",
        ...scope,
    ]);
}

async function must(pulumi: Pulumi, args: readonly string[]): Promise<void> {
    if ((await pulumi.show([...args, ...pulumi.stackFlags])) !== 0) {
        throw new CommandError(
            `pulumi ${args[0]} failed, as it says above. ` +
                "Next: mend the cause, then run this command again; it goes on where it stopped",
        );
    }
}
