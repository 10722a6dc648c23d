import { describe, expect, test } from "@jest/globals";

import type { Condition } from "../../../cli/condition";
import { parseExported } from "../../../cli/exported";
import { engineOf } from "../../../cli/orphans";
import type { Pulumi } from "../../../cli/pulumi";
import { unlock } from "../../../cli/unlock";
import { describe as describeCondition, heldBy, nextStep } from "../../../cli/unlock-texts";

const urn = (type: string, name: string) =>
    `urn:pulumi:prod::shop::excloud-k8s:index:ExcloudK8sCluster$pulumi-nodejs:dynamic/excloud-k8s:${type}::${name}`;
const lock = { pid: 41, username: "ann", hostname: "laptop", timestamp: "2026-11-24T10:20:30.4Z" };
const clean: Condition = {
    stack: "organization/shop/prod",
    locks: [],
    pending: [],
    orphans: [],
};

/** An exported state with pending operations, given as type of operation and URN. */
const exported = (...pending: [string, string][]) =>
    JSON.stringify({
        deployment: {
            resources: [],
            pending_operations: pending.map(([type, urn]) => ({ type, resource: { urn } })),
        },
    });

/** A `pulumi` that answers from a table and notes what it was asked to do. */
function playedPulumi(state: string, failing = ""): { pulumi: Pulumi; shown: string[] } {
    const shown: string[] = [];
    return {
        shown,
        pulumi: {
            stackFlags: ["--stack", "prod"],
            read: (args) =>
                Promise.resolve(
                    args[0] === "whoami"
                        ? JSON.stringify({ url: "s3://bucket" })
                        : args[1] === "export"
                          ? state
                          : "organization/shop/prod\n",
                ),
            show: (args) => {
                shown.push(args.join(" "));
                return Promise.resolve(args[0] === failing ? 1 : 0);
            },
        },
    };
}

async function run(
    state: string,
    { yes = false, answer, failing }: { yes?: boolean; answer?: boolean; failing?: string } = {},
) {
    const { pulumi, shown } = playedPulumi(state, failing);
    const said: string[] = [];
    const ask = answer === undefined ? undefined : () => Promise.resolve(answer);
    const end = await unlock(pulumi, { say: (line) => said.push(line), ask }, yes).then(
        () => "done",
        (error: Error) => error.message,
    );
    return { end, shown, said: said.join("\n") };
}

describe("what is done", () => {
    test.each([
        ["nobody can be asked", undefined, "there is no terminal to ask at"],
        ["the answer is no", false, "Nothing was changed."],
    ])("nothing when %s", async (_, answer, message) => {
        const { end, shown } = await run(exported(["creating", urn("VirtualMachine", "a")]), {
            ...(answer === undefined ? {} : { answer }),
        });
        expect([end, shown]).toEqual([expect.stringContaining(message), []]);
    });

    test.each([["yes"], ["the answer"]])("with %s: lock, then pending operations", async (how) => {
        const pending = exported(
            ["creating", urn("NodeSlot", "a")],
            ["updating", urn("SecurityGroup", "b")],
            ["deleting", urn("VirtualMachine", "c")],
        );
        const { end, shown } = await run(pending, how === "yes" ? { yes: true } : { answer: true });
        expect([end, shown]).toEqual([
            "done",
            [
                "cancel --yes --stack prod",
                "refresh --clear-pending-creates --yes --skip-preview --suppress-outputs " +
                    `--target ${urn("SecurityGroup", "b")} --target ${urn("VirtualMachine", "c")} --stack prod`,
            ],
        ]);
    });

    test("creations alone are dropped without a look at any resource", async () => {
        const { shown } = await run(exported(["creating", urn("NodeSlot", "a")]), { yes: true });
        expect(shown[1]).toContain("--exclude **");
        expect(shown[1]).not.toContain("--target");
    });

    test("no refresh without pending operations", async () => {
        const { shown } = await run(exported(), { yes: true });
        expect(shown).toEqual(["cancel --yes --stack prod"]);
    });

    test.each(["cancel", "refresh"])(
        "a %s that fails ends it, and says how to go on",
        async (failing) => {
            const state = exported(["updating", urn("SecurityGroup", "b")]);
            const { end, said } = await run(state, { yes: true, failing });
            expect(end).toMatch(new RegExp(`^pulumi ${failing} failed.*run this command again`));
            expect(said).not.toContain("Unlocked");
        },
    );
});

describe("what is said", () => {
    test("all that was found, in the user's words", () => {
        const said = describeCondition({
            ...clean,
            locks: [{ ...lock, isHeld: false }],
            pending: [{ type: "creating", urn: urn("VirtualMachine", "prod-cp-1") }],
            orphans: [77],
        });
        expect(said).toEqual([
            "Stack organization/shop/prod:",
            "  locked by ann@laptop (process 41) since 2026-11-24T10:20:30",
            "  interrupted while creating VirtualMachine prod-cp-1",
            "  process 77 of a killed run still lives and may be at work in the cloud",
        ]);
    });

    test("that there is nothing to do", () => {
        expect(describeCondition(clean)).toEqual([
            "Stack organization/shop/prod is not locked and has no pending operations: nothing to do.",
        ]);
    });

    test("that a lock cannot be seen from here", () => {
        const [, line] = describeCondition({ ...clean, locks: undefined });
        expect(line).toContain("only its backend knows whether it is locked");
    });

    test("how to end a run that goes on", () => {
        expect(heldBy(lock)).toContain("kill -INT 41");
    });

    test("what becomes of what was being created", () => {
        expect(nextStep([{ type: "creating", urn: "" }])).toContain("adopts what");
        expect(nextStep([{ type: "deleting", urn: "" }])).not.toContain("adopts");
    });
});

test("a state without pending operations has none", () => {
    expect(parseExported('{"deployment":{"pending_operations":null}}').pending).toEqual([]);
    expect(parseExported('{"version":3}').pending).toEqual([]);
});

test.each([
    [
        ["node", "/p/node_modules/@pulumi/pulumi/cmd/dynamic-provider/index.js", "127.0.0.1:4"],
        "127.0.0.1:4",
    ],
    [["node", "/p/node_modules/@pulumi/pulumi/cmd/run/index.js", "127.0.0.1:4"], undefined],
    [[], undefined],
])("the engine of %j is %s", (command, engine) => {
    expect(engineOf(command)).toBe(engine);
});
