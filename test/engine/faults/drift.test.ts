import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { type Bench, openBench, typeOf } from "../cluster/harness";
import * as behind from "./behind";
import { timeouts } from "./cell";
import { changesIn } from "./changes";
import { declared, found } from "./leftovers";
import { up } from "./support";

// What somebody changes behind the stack's back is seen by a refresh, as a difference of the right
// property of the right resource, and mended by an `up` that refreshes. Records and rules that are gone
// with three control planes, and one of three VMs: cluster/lifecycle.test.ts.

let bench: Bench;

beforeAll(async () => {
    bench = await openBench({ arguments: { controlPlaneCount: 1, timeouts } });
    await bench.pulumi(["up", "--yes", "--skip-preview"]);
});
afterAll(() => bench?.close());

interface Drift {
    readonly what: string;
    readonly changes: readonly ((bench: Bench) => Promise<unknown>)[];
    /** What a preview shows; `~` stands for the id of something. */
    readonly shown: readonly string[];
}

const drifts: Drift[] = [
    {
        what: "a VM is stopped, a record and the rules are edited",
        changes: [behind.stopVm, behind.editRecord, behind.removeRule, behind.addRule],
        shown: [
            "update DnsRecord quickstart: values",
            "update SecurityGroup quickstart: rules.all outwards, rules.unmanaged-~",
            "update VirtualMachine quickstart-cp-1: state",
        ],
    },
    {
        what: "a security group is unbound and deleted, and a record",
        changes: [behind.deleteGroup, behind.deleteRecord],
        shown: [
            "create DnsRecord quickstart",
            "create SecurityGroup quickstart",
            "update VirtualMachine quickstart-cp-1: securityGroupIds",
        ],
    },
];

describe.each(drifts)("$what", ({ changes, shown }) => {
    test("a preview with a refresh shows just that", async () => {
        for (const change of changes) {
            await change(bench);
        }
        const changed = changesIn(await bench.preview(["--refresh"]));
        expect(changed.map((line) => line.replace(/unmanaged-\d+/g, "unmanaged-~"))).toEqual(shown);
    });

    test("an up with a refresh mends it", mends);
});

async function mends(): Promise<void> {
    const { code, text } = await up(bench.stack, ["--refresh"]);
    expect([code, text]).toEqual([0, expect.not.stringContaining("warning:")]);
    expect(await found(bench)).toEqual(declared(await bench.resources()));
    expect((await bench.vms()).map(({ state }) => state)).toEqual(["RUNNING"]);
    await bench.pulumi(["preview", "--refresh", "--expect-no-changes"]);
}

describe("the only VM is terminated", () => {
    test("a preview shows it, and what depends on its address, as new", async () => {
        await behind.terminateVm(bench);
        const changed = changesIn(await bench.preview(["--refresh"]));
        expect(changed.map((line) => line.replace(/: .*/, ""))).toEqual([
            "create VirtualMachine quickstart-cp-1",
            "replace NodeAddress quickstart-cp-1",
            "update ClusterReadiness quickstart",
            "update DnsRecord quickstart",
            "update NodeBundle quickstart-cp-1",
        ]);
    });

    test("an up with a refresh founds the cluster anew", mends);
});

describe("VMs of somebody else bear the name of ours", () => {
    let namesakes: string[];
    const others = async () => {
        const ours = declared(await bench.resources());
        return (await found(bench)).filter((thing) => !ours.includes(thing));
    };

    test("nothing is planned for them", async () => {
        await behind.makeNamesake(bench);
        await behind.makeNamesake(bench);
        namesakes = await others();
        expect(namesakes.filter((thing) => thing.startsWith("vm "))).toHaveLength(2);
        const { code } = await up(bench.stack, ["--refresh", "--expect-no-changes"]);
        expect(code).toBe(0);
    });

    test("a replacement says that there are several", async () => {
        const vm = (await bench.resources()).find((r) => typeOf(r) === "VirtualMachine")!;
        const { code, text } = await up(bench.stack, ["--replace", vm.urn]);
        expect(code).not.toBe(0);
        expect(text).toMatch(/there are several VMs named \S+-cp-1: \d+, \d+\. Next: terminate/);
        expect(await others()).toEqual(namesakes);
    });

    test("destroy takes them along, and says so: the name is the cluster's", async () => {
        const text = await bench.pulumi(["destroy", "--yes", "--skip-preview"]);
        expect(text).toContain(
            "which is not in the state, was left by an interrupted run: terminated",
        );
        expect(await found(bench)).toEqual([]);
        expect(await bench.resources()).toEqual([]);
    });
});
