import { createHash } from "node:crypto";

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { drawClusterId } from "../../../bootstrap-server/src/cluster-id";
import { graceMs, isArmed } from "../../../bootstrap-server/src/rules/arming";
import { checkBundle, manifestOf } from "../../../bootstrap-server/src/rules/bundle";
import { requestLease } from "../../../bootstrap-server/src/rules/leases";
import {
    readApplied,
    type ReportFacts,
    showsEtcd,
} from "../../../bootstrap-server/src/rules/phases";
import {
    canonicalManifest,
    generationOf,
    type Manifest,
    type Peer,
    revisionOf,
} from "../../../contract/manifest";
import { clusterName } from "../../../contract/names";
import { compareSlots, isSlotOfRole } from "../../../contract/pools";

const sha = (text: string) => createHash("sha256").update(text).digest("hex");

describe("generation", () => {
    const manifest: Manifest = {
        "/b": { sha256: sha("b"), mode: "0600", owner: "root:root" },
        "/Z": { sha256: sha("z"), mode: "0644", owner: "etcd:etcd" },
        "/a-b": { sha256: sha("a"), mode: "0644", owner: "root:root" },
        "/a/b": { sha256: sha("a"), mode: "0644", owner: "root:root" },
    };
    test("is the SHA-256 of one line per path, in code-unit order", () => {
        const text =
            `/Z\t${sha("z")}\t0644\tetcd:etcd\n` +
            `/a-b\t${sha("a")}\t0644\troot:root\n` +
            `/a/b\t${sha("a")}\t0644\troot:root\n` +
            `/b\t${sha("b")}\t0600\troot:root\n`;
        expect(canonicalManifest(manifest)).toBe(text);
        expect(generationOf(manifest)).toBe(sha(text));
    });
    test("does not depend on the order of paths", () => {
        fc.assert(
            fc.property(fc.shuffledSubarray(Object.keys(manifest), { minLength: 4 }), (paths) => {
                const shuffled = Object.fromEntries(paths.map((path) => [path, manifest[path]]));
                expect(generationOf(shuffled as Manifest)).toBe(generationOf(manifest));
            }),
        );
    });
    test("the revision covers generation and peers, not their order", () => {
        const one: Peer = { name: "cp-1", address: "10.0.0.1", role: "control-plane" };
        const two: Peer = { name: "cp-2", address: "10.0.0.2", role: "control-plane" };
        const text = `g\n[{"address":"10.0.0.1","name":"cp-1","role":"control-plane"},{"address":"10.0.0.2","name":"cp-2","role":"control-plane"}]`;
        expect(revisionOf("g", [two, one])).toBe(sha(text));
        expect(revisionOf("g", [one])).not.toBe(revisionOf("g", [one, two]));
        expect(revisionOf("h", [one])).not.toBe(revisionOf("g", [one]));
    });
});

describe("bundle", () => {
    const file = (content: string) => ({ content, mode: "0644", owner: "root:root" });
    const poolFiles = manifestOf({ "/role": file("role") });
    const nodeFiles = manifestOf({ "/node": file("node") });
    const manifest = { ...poolFiles, ...nodeFiles };
    const generation = generationOf(manifest);
    const code = (more: object) =>
        checkBundle({ generation, manifest, nodeFiles, poolFiles, ...more })?.code;

    test("is taken when all its digests are held", () => {
        expect(code({})).toBeUndefined();
    });
    test("is refused for a wrong generation, missing, doubled and unlisted files", () => {
        expect(code({ generation: sha("x") })).toBe("bootstrap.bundle.generation_mismatch");
        expect(code({ poolFiles: {} })).toBe("bootstrap.bundle.incomplete");
        const other = manifestOf({ "/role": file("role 2") });
        expect(code({ poolFiles: other })).toBe("bootstrap.bundle.incomplete");
        expect(code({ nodeFiles: manifest })).toBe("bootstrap.bundle.duplicate_path");
        const unlisted = { manifest: poolFiles, generation: generationOf(poolFiles) };
        expect(code(unlisted)).toBe("bootstrap.bundle.manifest_mismatch");
    });
});

describe("arming", () => {
    const readyAt = new Date("2030-01-01T00:00:00Z");
    const after = (milliseconds: number) => new Date(readyAt.getTime() + milliseconds);
    test("is open from binding to the end of the grace, which is 15 minutes", () => {
        expect(graceMs).toBe(900_000);
        expect(isArmed({ vmId: null, readyAt: null }, readyAt)).toBe(false);
        expect(isArmed({ vmId: 1, readyAt: null }, after(1e12))).toBe(true);
        expect(isArmed({ vmId: 1, readyAt }, after(graceMs - 1))).toBe(true);
        expect(isArmed({ vmId: 1, readyAt }, after(graceMs))).toBe(false);
    });
});

describe("reports", () => {
    const report = (more: Partial<ReportFacts>): ReportFacts => ({
        generation: "g",
        phase: "applied",
        state: "done",
        health: { a: true },
        ...more,
    });
    test("healthy needs evidence", () => {
        expect(readApplied(report({}))).toEqual({ generation: "g", healthy: true });
        expect(readApplied(report({ health: { a: true, b: false } }))?.healthy).toBe(false);
        expect(readApplied(report({ health: {} }))?.healthy).toBe(false);
        expect(readApplied(report({ state: "failed" }))).toEqual({
            generation: "g",
            healthy: false,
        });
        expect(readApplied(report({ state: "running" }))).toEqual({
            generation: undefined,
            healthy: false,
        });
        expect(readApplied(report({ phase: "node-ready" }))).toBeUndefined();
    });
    test.each<[boolean, Partial<ReportFacts>]>([
        [true, { phase: "etcd" }],
        [false, { phase: "etcd", state: "running" }],
        [false, { phase: "etcd", state: "failed" }],
        [false, { phase: "install" }],
        [true, { phase: "kubelet", state: "failed" }],
        [true, { phase: "node-ready" }],
        [true, {}],
        [false, { health: { etcd: false } }],
    ])("whether etcd ran is %s after %j", (expected, more) => {
        expect(showsEtcd(report(more))).toBe(expected);
    });
});

describe("leases", () => {
    test("never have two holders at a time", () => {
        const ask = fc.record({
            asker: fc.constantFrom("cp-1", "cp-2", "cp-3"),
            ttl: fc.integer({ min: 1, max: 60 }),
            pause: fc.integer({ min: 0, max: 90 }),
        });
        fc.assert(
            fc.property(fc.array(ask, { maxLength: 60, size: "max" }), (asks) => {
                let now = 0;
                let lease: { holder: string; expiresAt: Date } | undefined;
                for (const { asker, ttl, pause } of asks) {
                    now += pause * 1000;
                    const before = lease;
                    const answer = requestLease(lease, asker, ttl, new Date(now));
                    const held = before && before.expiresAt.getTime() > now;
                    expect(answer.granted).toBe(!held || before.holder === asker);
                    expect(answer.holder).toBe(answer.granted ? asker : before?.holder);
                    if (answer.granted) {
                        expect(answer.expiresAt.getTime()).toBe(now + ttl * 1000);
                        lease = answer;
                    }
                }
            }),
        );
    });
});

describe("names", () => {
    test("clusters, slots", () => {
        expect(clusterName(5, 42)).toBe("exk8s-5-2a");
        const id = drawClusterId();
        expect(Number.isSafeInteger(id) && id > 0 && id < 2 ** 40).toBe(true);
        expect(isSlotOfRole("cp-1", "control-plane")).toBe(true);
        for (const slot of ["cp-0", "cp-01", "cp", "worker-1", "xcp-1", "cp-1x"]) {
            expect([slot, isSlotOfRole(slot, "control-plane")]).toEqual([slot, false]);
        }
        expect(["worker-1", "cp-10", "cp-2"].sort(compareSlots)).toEqual([
            "cp-2",
            "cp-10",
            "worker-1",
        ]);
    });
});
