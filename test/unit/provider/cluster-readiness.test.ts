import { describe, expect, test } from "@jest/globals";

import type { NodeStatus, PhaseStatus } from "../../../provider/bootstrap/operations";
import { type BootstrapApi, type Context, makeContext } from "../../../provider/context";
import { clusterReadiness } from "../../../provider/resources/cluster-readiness";

// The server's answer is played; `test/cluster` has it from real nodes.
const failing: NodeStatus = {
    slot: "cp-1",
    role: "control-plane",
    node_name: "cp-1.cluster-7.internal",
    vm_id: 1,
    address: "10.0.0.1",
    desired_generation: "a",
    released_generation: "a",
    reported_generation: null,
    healthy: false,
    health: {},
    last_seen_at: null,
    phases: [
        {
            phase: "install",
            state: "failed",
            started_at: "2026-01-01T00:00:00Z",
            finished_at: "2026-01-01T00:00:03Z",
            message: "phase install failed with exit code 1; it is tried again",
            log_tail: [
                "installing kubelet v1.35.4",
                "2026-01-01T00:00:03Z error: kubelet has SHA-256 abc",
                "",
            ],
        },
    ],
};

const inputs = {
    bootstrap: { operatorUrl: "https://bootstrap.example" },
    clusterId: 7,
    generations: { "cp-1": "a" },
    timeout: 0.1,
};

test("the error of a cluster that does not get ready holds the end of the failed phase's log", async () => {
    const lines: string[] = [];
    const context: Context = {
        ...makeContext(() => undefined),
        log: (line) => lines.push(line),
        bootstrap: () => (() => Promise.resolve({ nodes: [failing] })) as unknown as BootstrapApi,
    };
    const wanted = [
        "1 of 1 nodes are not ready after 0.1 s:",
        "  cp-1: install failed: phase install failed with exit code 1; it is tried again: error: kubelet has SHA-256 abc",
        "    | installing kubelet v1.35.4",
        "    | 2026-01-01T00:00:03Z error: kubelet has SHA-256 abc",
        "    | ",
        "Next: see what has become of it by `npx excloud-k8s status` (with --stack, unless the stack is selected), mend the cause, then run `pulumi up` again; it goes on from here",
    ].join("\n");
    await expect(clusterReadiness.create(inputs, context)).rejects.toThrow(wanted);
    expect(lines).toEqual([expect.stringMatching(/^cp-1 {2}install {5}failed: .* SHA-256 abc$/)]);
});

test("a phase that is tried again when the time is over says why it failed before", async () => {
    const again = { ...failing, phases: [{ ...failing.phases[0]!, state: "running" as const }] };
    const context: Context = {
        ...makeContext(() => undefined),
        log: () => undefined,
        bootstrap: () => (() => Promise.resolve({ nodes: [again] })) as unknown as BootstrapApi,
    };
    await expect(clusterReadiness.create(inputs, context)).rejects.toThrow(
        [
            "  cp-1: install ...",
            "    the last try: phase install failed with exit code 1; it is tried again",
            "    | installing kubelet v1.35.4",
        ].join("\n"),
    );
});

describe("progress", () => {
    const phase = (
        name: PhaseStatus["phase"],
        state: "running" | "done",
        seconds = 0,
    ): PhaseStatus => ({
        phase: name,
        state,
        started_at: "2026-01-01T00:00:00Z",
        finished_at: state === "done" ? `2026-01-01T00:00:0${seconds}.3Z` : null,
        message: null,
        log_tail: [],
    });
    const node = (
        slot: string,
        phases: PhaseStatus[],
        more: Partial<NodeStatus> = {},
    ): NodeStatus => ({
        ...failing,
        slot,
        phases,
        ...more,
    });
    const well = { healthy: true, reported_generation: "a" };
    const boot = [phase("install", "done", 2), phase("addons", "done", 1)];

    /** The lines that a readiness shows of answers of the server, one per look; the last goes on. */
    async function shown(run: "create" | "update", ...looks: NodeStatus[][]): Promise<string[]> {
        const lines: string[] = [];
        const answers = [...looks];
        const next = () => ({ nodes: (answers.length > 1 ? answers.shift() : answers[0]) ?? [] });
        const context: Context = {
            ...makeContext(() => undefined),
            log: (line) => lines.push(line),
            bootstrap: () => (() => Promise.resolve(next())) as unknown as BootstrapApi,
        };
        const slots = [...new Set(looks.flat().map(({ slot }) => slot))];
        const generations = Object.fromEntries(slots.map((slot) => [slot, "a"]));
        const wanted = { ...inputs, timeout: 30, generations };
        await (run === "create"
            ? clusterReadiness.create(wanted, context)
            : clusterReadiness.update("7/ready", wanted, wanted, context));
        return lines;
    }

    test("is a line per change, not per look, in columns", async () => {
        const running = node("cp-1", [phase("install", "running")]);
        const lines = await shown(
            "create",
            [],
            [running],
            [running],
            [running],
            [node("cp-1", boot, well)],
        );
        expect(lines).toEqual([
            "cp-1  install     ...",
            "cp-1  install        2.3 s",
            "cp-1  addons         1.3 s",
            "cp-1  ready",
        ]);
    });

    test("a phase that ends before the next look is one line", async () => {
        const lines = await shown(
            "create",
            [node("cp-1", [phase("install", "running")])],
            [node("cp-1", boot, well)],
        );
        expect(lines).toEqual([
            "cp-1  install        2.3 s",
            "cp-1  addons         1.3 s",
            "cp-1  ready",
        ]);
    });

    test("an update does not tell the boot again", async () => {
        const applied = phase("applied", "done");
        const old = (slot: string, more: Partial<NodeStatus> = {}) =>
            node(slot, [...boot, applied], { healthy: true, reported_generation: "old", ...more });
        const lines = await shown(
            "update",
            [old("cp-1"), old("cp-2", { held_by: "cp-1" })],
            [old("cp-1"), old("cp-2", { held_by: "cp-1" })],
            [node("cp-1", [...boot, applied], well), old("cp-2")],
            [node("cp-1", [...boot, applied], well), node("cp-2", [...boot, applied], well)],
        );
        expect(lines).toEqual([
            "cp-2  applied     waits for its turn, after cp-1",
            "cp-1  applied     ...",
            "cp-1  ready",
            "cp-2  ready",
        ]);
    });

    test("a refusal is said with its reason", async () => {
        const refused = node("cp-1", [], { last_refusal: { at: "", reason: "other_vm" } });
        const lines = await shown("create", [refused], [node("cp-1", boot, well)]);
        expect(lines[0]).toBe("cp-1  refused     by the bootstrap server: other_vm");
    });
});
