import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

import { adapt } from "../../../provider/adapter";
import { imageBuilder, type ImageBuilderInputs } from "../../../provider/resources/image-builder";
import { imageSlot } from "../../../provider/resources/image-slot";
import { machineImage, type MachineImageInputs } from "../../../provider/resources/machine-image";
import { type HandlerBench, openHandlerBench } from "./support/bench";

// The two handlers of an image against the local cloud. What a fault of a call comes to is in test/contract/faults.

let bench: HandlerBench;

beforeEach(async () => {
    bench = await openHandlerBench();
});
afterEach(() => bench.close());

const builder: ImageBuilderInputs = {
    name: "image-x",
    zoneId: 1,
    projectId: 1,
    subnetId: 1,
    imageId: 1,
    instanceType: "t1a.medium",
    allocatePublicIpv4: false,
    rootVolumeSizeGib: 20,
    securityGroupIds: [],
    userData: "#!/bin/sh\n",
    contents: { kubernetes: "v1.35.4" },
    timeouts: { create: 20, delete: 20 },
    state: "USABLE",
};
const image = (builderVmId: string): MachineImageInputs => ({
    name: "image-x",
    zoneId: 1,
    builderVmId,
    contents: builder.contents,
    timeouts: builder.timeouts,
});
const host = "10.0.0.1";
const vms = () => bench.cloud.inventory().vms.map(({ vm_id }) => String(vm_id));
const images = () => bench.cloud.inventory().snapshots.map(({ id }) => String(id));
const build = () => imageBuilder.create(builder, bench.context);
const make = (vmId: string) => machineImage.create(image(vmId), bench.context);
const look = (id: string) => imageBuilder.read(id, { ...builder, host }, bench.context);

describe("ImageBuilder", () => {
    test("gives the address of a VM that runs", async () => {
        const { id, outputs } = await build();
        const vm = bench.cloud.call("vmGet", { vm_id: id });
        expect([vm.state, outputs.host]).toEqual(["RUNNING", vm.interface_ipv4]);
    });

    test("what an interrupted run left is terminated, not adopted", async () => {
        const first = await build();
        const second = await build();
        expect(second.id).not.toBe(first.id);
        expect(vms()).toEqual([second.id]);
    });

    test("is as it was while its VM or its image is there, and gone with both", async () => {
        const { id } = await build();
        expect(await look(id)).toEqual({ id, inputs: builder, outputs: { host } });
        const made = await make(id);
        expect(vms()).toEqual([]);
        expect(await look(id)).toEqual({ id, inputs: builder, outputs: { host } });
        bench.cloud.call("snapshotDelete", { snapshot_id: Number(made.id) });
        expect(await look(id)).toBeUndefined();
    });

    test("one that was switched off before it was baked is replaced", async () => {
        const { id } = await build();
        bench.cloud.call("vmStop", { vm_id: Number(id) });
        while (bench.cloud.call("vmGet", { vm_id: id }).state !== "STOPPED") {
            await sleep(5);
        }
        const found = await look(id);
        expect(found?.inputs?.state).toBe("USELESS");
        const provider = adapt(imageBuilder, () => bench.context);
        const { replaces } = await provider.diff(id, { ...found?.inputs, host }, { ...builder });
        expect(replaces).toEqual(["state"]);
    });

    test("a place that the cloud does not have is refused; a builder that was used is not asked again", async () => {
        const odd = { ...builder, imageId: 99 };
        const { failures } = await imageBuilder.check!(odd, undefined, bench.context);
        expect(failures).toEqual([
            { property: "imageId", reason: expect.stringContaining("no image") },
        ]);
        expect((await imageBuilder.check!(odd, odd, bench.context)).failures).toEqual([]);
    });
});

describe("MachineImage", () => {
    test("stops the VM, makes the image and terminates the VM", async () => {
        const { id: vmId } = await build();
        const { id, outputs } = await make(vmId);
        expect([outputs.imageId, images(), vms()]).toEqual([Number(id), [id], []]);
        expect(bench.cloud.call("imageList", {})).toContainEqual({
            id: Number(id),
            name: "image-x",
        });
    });

    test("a run that was killed before it terminated the VM is taken up: one image, no VM", async () => {
        const { id: vmId } = await build();
        const { root_volume_id: volume_id } = bench.cloud.call("vmGet", { vm_id: vmId });
        const left = bench.cloud.call("snapshotCreate", {
            volume_id,
            name: "image-x",
            is_ami: true,
        });
        const { id } = await make(vmId);
        expect([id, images(), vms()]).toEqual([String(left.id), [id], []]);
    });

    test("and one that was killed after it did", async () => {
        const { id: vmId } = await build();
        const first = await make(vmId);
        expect((await make(vmId)).id).toBe(first.id);
    });

    test("an image of that name of another VM is what a lost run left", async () => {
        await make((await build()).id);
        const { id } = await make((await build()).id);
        expect(images()).toEqual([id]);
    });

    test("a VM that is gone without an image says what to do", async () => {
        const { id: vmId } = await build();
        bench.cloud.terminateVm(Number(vmId));
        await expect(make(vmId)).rejects.toThrow(
            /is gone, and there is no such image. Next: run `pulumi up --refresh`/,
        );
    });

    test("delete takes one that is gone as done", async () => {
        const { id } = await make((await build()).id);
        const state = { ...image("1"), imageId: Number(id) };
        await machineImage.delete(id, state, bench.context);
        await machineImage.delete(id, state, bench.context);
        expect(images()).toEqual([]);
    });
});

describe("ImageSlot", () => {
    const slot = { name: "image-x", timeouts: { delete: 20 } };
    const end = () => imageSlot.delete("image-x", slot, bench.context);

    test("takes along what has its name: a builder, and an image without one", async () => {
        await make((await build()).id);
        await build();
        await end();
        expect([vms(), images()]).toEqual([[], []]);
        await end();
    });

    test("and nothing else", async () => {
        const other = { ...builder, name: "image-y" };
        const { id: vmId } = await imageBuilder.create(other, bench.context);
        const { root_volume_id: volume_id } = bench.cloud.call("vmGet", { vm_id: vmId });
        const call = (is_ami: boolean, name: string) =>
            String(bench.cloud.call("snapshotCreate", { volume_id, name, is_ami }).id);
        const kept = [call(true, "image-y"), call(false, "image-x")];
        await end();
        expect([vms(), images().sort()]).toEqual([[vmId], kept.sort()]);
    });
});
