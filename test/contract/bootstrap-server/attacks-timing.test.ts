import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Agent } from "undici";

import { isFull } from "../../support/sample";
import { Guarded, pathOf, sampledFields } from "./support/guarded";
import type { Call } from "./support/harness";

/** Samples of each kind, from connections that stay open. */
const samples = isFull ? 2000 : 250;
/** How well one kind may be told from another: 0.5 is not at all, 1 is always. */
const limit = 0.6;
/**
 * Connections of each attempt. A machine that is too busy to answer all in time shows what takes more work, which no
 * attacker sees who asks less: so the next attempt asks less.
 */
const attempts = [12, 6, 3];

/** Probability that a sample of `a` took longer than one of `b`: area under the ROC curve. */
function areaUnderCurve(a: readonly number[], b: readonly number[]): number {
    const all = [...a.map((time) => ({ time, of: "a" })), ...b.map((time) => ({ time, of: "b" }))];
    all.sort((one, other) => one.time - other.time);
    // Times are of nanoseconds: equal ones do not count.
    const ranks = all.reduce((sum, { of }, rank) => sum + (of === "a" ? rank + 1 : 0), 0);
    const area = (ranks - (a.length * (a.length + 1)) / 2) / (a.length * b.length);
    return Math.max(area, 1 - area);
}

/** Kinds of refusal that an attacker would tell apart: who exists, what was right of what he sent. */
function kindsOf(field: Guarded): Record<string, { call: Call; path: string }> {
    const { open, closed } = field;
    const proof = { token: open.accessToken, headers: field.factor(open) };
    const guess = { ...proof, headers: field.factor(open, "guess") };
    return {
        "unknown VM": { path: pathOf(open, 999_999), call: guess },
        "known VM, first factor wrong": { path: pathOf(open), call: guess },
        "known VM, no factor": { path: pathOf(open), call: { headers: {}, token: undefined } },
        "known VM, access token wrong": { path: pathOf(open), call: { ...proof, token: "guess" } },
        "slot closed": {
            path: pathOf(closed),
            call: { token: closed.accessToken, headers: field.factor(closed) },
        },
        "wrong role": { path: `/bootstrap/worker/${open.vmId}`, call: proof },
    };
}

describe.each(sampledFields)("timing, $mode on $store", ({ store, mode }) => {
    const field = new Guarded(store, mode, { perAddress: 1e9, perVm: 1e9 });
    let agents: Agent[];
    beforeAll(async () => {
        await field.start();
        agents = Array.from(
            { length: Math.max(...attempts) },
            () => new Agent({ connect: { ca: field.harness.server.caPem }, connections: 1 }),
        );
    });
    afterAll(async () => {
        await Promise.all(agents.map((agent) => agent.close()));
        await field.stop();
    });

    /** Milliseconds of each kind, asked for in random order from some connections at once. */
    const measure = async (connections: number): Promise<Map<string, number[]>> => {
        const kinds = Object.entries(kindsOf(field));
        const times = new Map(kinds.map(([kind]) => [kind, [] as number[]]));
        const order = kinds.flatMap((kind) => Array<typeof kind>(samples).fill(kind));
        for (let n = order.length - 1; n > 0; n--) {
            const other = Math.floor(Math.random() * (n + 1));
            [order[n], order[other]] = [order[other]!, order[n]!];
        }
        await Promise.all(
            agents.slice(0, connections).map(async (agent) => {
                for (let next = order.pop(); next; next = order.pop()) {
                    const [kind, { path, call }] = next;
                    const { token, headers } = call;
                    const start = performance.now();
                    const answer = await agent.request({
                        origin: field.harness.server.url,
                        path,
                        method: "GET",
                        headers: {
                            ...headers,
                            ...(token ? { authorization: `Bearer ${token}` } : {}),
                        },
                    });
                    const timeMs = performance.now() - start;
                    await answer.body.dump();
                    expect(answer.statusCode).toBe(401);
                    times.get(kind)!.push(timeMs);
                }
            }),
        );
        return times;
    };

    /** The pair of kinds that is told apart best. */
    const worstPair = (times: Map<string, number[]>) =>
        [...times]
            .flatMap(([a, ofA], index) =>
                [...times].slice(index + 1).map(([b, ofB]) => ({
                    pair: `${a} / ${b}`,
                    area: areaUnderCurve(ofA, ofB),
                })),
            )
            .sort((one, other) => other.area - one.area)[0]!;

    test("no two kinds of refusal are told apart", async () => {
        const found: { pair: string; area: number }[] = [];
        for (const connections of attempts) {
            found.push(worstPair(await measure(connections)));
            if (found.at(-1)!.area <= limit) {
                break;
            }
        }
        console.info(`${mode} on ${store}: ${JSON.stringify(found)}`);
        expect(found.at(-1)!.area).toBeLessThanOrEqual(limit);
    });
});

test("the measure sees a difference", () => {
    const base = Array.from({ length: 1000 }, () => Math.random());
    expect(
        areaUnderCurve(
            base,
            base.map((time) => time + 0.3),
        ),
    ).toBeGreaterThan(0.7);
    expect(
        areaUnderCurve(
            base,
            base.map(() => Math.random()),
        ),
    ).toBeLessThan(0.55);
});
