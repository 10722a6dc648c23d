import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { outputsOf } from "../../../tools/playground/playground";
import { type Answer, type SshMachine, startSshMachine } from "../../support/ssh-machine";
import { vmRequest } from "../../support/vm-request";
import { type Bench, nameOf, openBench, typeOf } from "../cluster/harness";
import { builderKeys } from "./builder-keys";

// An image baked by the real engine. The builder is a VM of the local cloud; in its place an SSH server answers that
// has the builder's keys from its user data and runs nothing. The script itself runs in test/cluster.

let bench: Bench;
let machine: SshMachine;
let answer: Answer = { code: 0 };

const args = { baseImageId: 1, instanceType: "t1a.medium", subnetId: 1 };
const setImage = (more: object = {}) =>
    bench.stack.setObject("image", { ...args, sshAllowedCidrs: ["127.0.0.1/32"], ...more });
const up = (expected = 0, ...options: string[]) =>
    bench.pulumi(["up", "--yes", "--skip-preview", ...options], expected);
const changes = async () =>
    (await bench.preview())
        .filter(({ op }) => op !== "same")
        .map((step) => `${step.op} ${typeOf(step)}`);
const images = async () =>
    (await bench.inventory())["snapshots"] as { id: number; name: string; is_ami: boolean }[];

beforeAll(async () => {
    bench = await openBench({});
    machine = await startSshMachine(
        () => builderKeys(bench.folder.cloud),
        () => answer,
    );
    const program = join(__dirname, "program/index.js");
    writeFileSync(
        bench.folder.projectFile,
        `name: quickstart\nruntime: nodejs\nmain: ${program}\n`,
    );
    await bench.stack.setObject("ssh", { host: "127.0.0.1", port: machine.port });
    await setImage();
});
afterAll(async () => {
    await machine?.close();
    await bench?.close();
});

test("a bake that fails says why, and the next up goes on", async () => {
    answer = { code: 1, stderr: "error: kubelet has SHA-256 0123" };
    expect(await up(1)).toContain("error: kubelet has SHA-256 0123");
    expect(await images()).toEqual([]);
    answer = { code: 0 };
    await up();
});

test("the script reaches the builder, its disk is an image, and the builder is gone", async () => {
    const { imageId, script } = await outputsOf(bench.stack);
    expect(machine.files["/run/exk8s-bake/bake-control-plane-image.sh"]).toBe(script);
    expect(machine.executed.at(-1)?.command).toContain("bake-control-plane-image.sh");
    expect(await images()).toMatchObject([
        { id: imageId, is_ami: true, name: expect.stringMatching(/^image-control-plane-/) },
    ]);
    expect((await bench.cloud("imageList")).map(({ id }) => id)).toContain(imageId);
    const { vms, volumes } = await bench.inventory();
    expect([vms, volumes]).toEqual([[], []]);
});

test("nothing changes afterwards, a refresh included: that the builder is gone is as it should be", async () => {
    expect(await changes()).toEqual([]);
    await bench.pulumi(["refresh", "--yes", "--skip-preview"]);
    expect(await changes()).toEqual([]);
});

test("no key lies open in the state", async () => {
    const state = JSON.stringify(await bench.resources());
    expect(state).not.toContain("PRIVATE KEY");
});

test("another version shows in the preview and is baked; only then the old image goes", async () => {
    const [before] = await images();
    await setImage({ kubernetesVersion: "v1.35.3" });
    const steps = await bench.preview();
    const replaced = steps
        .filter(({ op }) => op === "replace")
        .map(typeOf)
        .sort();
    expect(replaced).toEqual([
        "Command",
        "CopyToRemote",
        "ImageBuilder",
        "ImageSlot",
        "MachineImage",
    ]);
    const builder = steps.find((step) => step.op === "replace" && typeOf(step) === "ImageBuilder");
    expect(builder?.oldState?.inputs?.["contents"]).toMatchObject({ kubernetes: "v1.35.4" });
    expect(builder?.newState?.inputs?.["contents"]).toMatchObject({ kubernetes: "v1.35.3" });
    answer = { code: 1 };
    await up(1);
    expect(await images()).toEqual([before]);
    answer = { code: 0 };
    await up();
    const [after, ...others] = await images();
    expect(others).toEqual([]);
    expect(after?.id).not.toBe(before?.id);
    expect(machine.files["/run/exk8s-bake/bake-control-plane-image.sh"]).toContain("v1.35.3");
    expect((await bench.inventory())["vms"]).toEqual([]);
    expect(await changes()).toEqual([]);
});

test("an image that somebody deleted is baked anew", async () => {
    const [before] = await images();
    await bench.cloud("snapshotDelete", { snapshot_id: before!.id });
    await up(0, "--refresh");
    const [after, ...others] = await images();
    expect([others, after?.id === before?.id]).toEqual([[], false]);
    expect((await bench.inventory())["vms"]).toEqual([]);
});

test("a builder that was switched off before it was baked is made anew", async () => {
    await setImage();
    answer = { code: 1 };
    await up(1);
    const [vm] = await bench.vms();
    await bench.cloud("vmStop", { vm_id: vm!.vm_id });
    answer = { code: 0 };
    await up(0, "--refresh");
    expect((await bench.inventory())["vms"]).toEqual([]);
    expect(await images()).toHaveLength(1);
});

test("bad arguments are named before anything is made", async () => {
    await setImage({ sshAllowedCidrs: ["everywhere"], kubernetesVersion: "v1.2.3" });
    const text = await up(1);
    expect(text).toContain('ControlPlaneImage "control-plane": 2 of its arguments cannot be used');
    await setImage();
});

test("destroy leaves nothing, not even what a killed creation left that no up followed", async () => {
    const { name } = (await images())[0]!;
    const [group] = (await bench.inventory())["securityGroups"] as [{ id: number }];
    const request = vmRequest({ name, security_group_ids: [group.id] });
    const left = await bench.cloud("vmCreate", request);
    const volume_id = left.root_volume_id;
    await bench.cloud("snapshotCreate", { volume_id, name, is_ami: true });
    await bench.pulumi(["destroy", "--yes", "--skip-preview"]);
    expect(Object.values(await bench.inventory()).flat()).toEqual([]);
    expect((await bench.resources()).map(nameOf)).toEqual([]);
});
