import { expect, test } from "@jest/globals";

import type { NodeStatus } from "../../../provider/bootstrap/operations";
import { makeContext, type BootstrapApi, type Context } from "../../../provider/context";
import { clusterReadiness } from "../../../provider/handlers/cluster-readiness";

// The server's answer is played; `test/cluster` has it from real nodes.
const failing: NodeStatus = {
    slot: "cp-1",
    node_name: "cp-1.cluster-7.internal",
    desired_generation: "a",
    released_generation: "a",
    reported_generation: null,
    healthy: false,
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
        "Next: mend the cause, then run `pulumi up` again; it goes on from here",
    ].join("\n");
    await expect(clusterReadiness.create(inputs, context)).rejects.toThrow(wanted);
    expect(lines).toEqual([expect.stringMatching(/^cp-1: install failed: .* SHA-256 abc$/)]);
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
