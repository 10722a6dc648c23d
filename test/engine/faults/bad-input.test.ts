import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";

import { setArguments } from "../../../tools/playground/playground";
import { type Bench, openBench, typeOf } from "../cluster/harness";
import { stackTrace, stackWith, up, withSettings } from "./support";

// What a user gets wrong on the first day, on the real command line: each is one clear error that says
// what to do, and no VM is made.

let bench: Bench;
let said: string;

beforeAll(async () => {
    bench = await openBench();
    await setArguments(bench.stack, ["controlPlaneCount=1"]);
});
afterAll(() => bench?.close());

afterEach(async () => {
    expect(said).not.toMatch(stackTrace);
    expect(await bench.vms()).toEqual([]);
});

/** Runs an `up` that must fail; gives what it printed, without line breaks inside of sentences. */
async function fails(stack = bench.stack): Promise<string> {
    const { code, text } = await up(stack);
    said = text;
    expect([code, text]).not.toEqual([0, text]);
    return text;
}

test("bad arguments are listed together, before there is any resource", async () => {
    const bad = {
        "cluster.controlPlaneCount": 2,
        "cluster.podCidr": "10.244.0.0/28",
        "cluster.kubernetesVersion": "v1.12.0",
        "cluster.rootVolumeSizeGib": 1,
        "cluster.controlPlanes": 3,
        "cluster.bootstrap.nodeUrl": "nowhere",
    };
    const text = await withSettings(bench, bad, () => fails());
    expect(text).toContain('ExcloudK8sCluster "quickstart": 6 of its arguments cannot be used');
    for (const fault of [
        "controlPlaneCount is 2; allowed are 1, 3",
        'podCidr is "10.244.0.0/28", which is too small',
        'kubernetesVersion is not valid: kubernetesVersion: "v1.12.0" is not supported',
        "rootVolumeSizeGib is 1; give a whole number, at least 10",
        "controlPlanes is not an argument",
        'bootstrap.nodeUrl is "nowhere"; give a text such as',
    ]) {
        expect(text).toContain(fault);
    }
    const made = (await bench.resources()).map(typeOf);
    expect(made.filter((type) => type !== "Stack" && type !== "ExcloudK8sCluster")).toEqual([]);
});

test("a wrong operator token", async () => {
    const text = await fails(
        stackWith(bench, { EXCLOUD_BOOTSTRAP_TOKEN: "0123456789abcdef0123456789abcdef" }),
    );
    expect(text).toContain("/v1/clusters answered 401 (bootstrap.operator.unauthorized)");
    expect(text).toContain("EXCLOUD_BOOTSTRAP_TOKEN");
    expect(text).not.toContain("0123456789abcdef");
});

test("a bootstrap server that cannot be reached", async () => {
    const gone = { "cluster.bootstrap.operatorUrl": "https://127.0.0.1:9" };
    const text = await withSettings(bench, gone, () => fails());
    expect(text).toContain("POST https://127.0.0.1:9/v1/clusters got no answer");
    expect(text).toContain("Next: check that https://127.0.0.1:9 is right and can be reached");
});

test("no API key", async () => {
    const text = await fails(
        stackWith(bench, {
            EXCLOUD_API_KEY: undefined,
            EXCLOUD_ACCESS_TOKEN: undefined,
            HOME: bench.folder.root,
        }),
    );
    expect(text).toContain("no Excloud API key was found. Next: set EXCLOUD_API_KEY");
});

describe("what the cloud does not have", () => {
    test("a subnet", async () => {
        const text = await withSettings(bench, { "cluster.subnetId": 99 }, () => fails());
        expect(text).toContain("no subnet has this id. There are 1 (DEFAULT), 2 (PRIVATE)");
    });

    test("an image", async () => {
        const text = await withSettings(bench, { "cluster.controlPlaneImageId": 99 }, () =>
            fails(),
        );
        expect(text).toContain("no image has this id. There are 1 (ubuntu-24.04-latest)");
    });
});

// Last, as it leaves what was made meanwhile.
test("a bad argument that becomes known later fails the program by its name", async () => {
    const { projectFile } = bench.folder;
    const before = readFileSync(projectFile);
    const program = join(__dirname, "late-program/index.js");
    writeFileSync(projectFile, `name: quickstart\nruntime: nodejs\nmain: ${program}\n`);
    const text = await fails();
    writeFileSync(projectFile, before);
    expect(text).toContain('ExcloudK8sCluster "quickstart": 1 of its arguments cannot be used:');
    expect(text).toContain('clusterDomain is "-wrong-"; give a text such as "cluster.local"');
});
