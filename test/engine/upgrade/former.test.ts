import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";

import { setArguments } from "../../../tools/playground/playground";
import { installKept } from "../../kept/packages";
import { type Bench, fileOnNode, openBench } from "../cluster/harness";
import { openWorld } from "./open-world";

// Releases that meet: a program and nodes of 0.1 with a server of today, a program of today with a server of 0.1.

const folder = mkdtempSync(join(tmpdir(), "former-"));
let former: Awaited<ReturnType<typeof installKept>>;
let bench: Bench | undefined;

const upgradeFirst =
    /is older than this program: it has contract 1, the program 2\. Next: upgrade the server first/;
const formerServer = () => ({ server: join(former["excloud-k8s-bootstrap"], "dist/main.js") });
const up = (expected?: number) => bench!.pulumi(["up", "--yes", "--skip-preview"], expected);
const destroy = () => bench!.pulumi(["destroy", "--yes", "--skip-preview"]);
const left = async () => Object.values(await bench!.inventory()).flat();

beforeAll(async () => {
    former = await installKept("v0.1", folder);
});
afterEach(async () => {
    await bench?.close();
    bench = undefined;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a program and nodes of 0.1 live their life with a server of today", async () => {
    bench = await openBench({
        arguments: { controlPlaneCount: 1 },
        programs: { cloud: join(former["excloud-local"], "dist/main.js") },
    });
    const main = join(folder, "program");
    cpSync(join(__dirname, "program"), main, { recursive: true });
    writeFileSync(
        bench.folder.projectFile,
        `name: quickstart\nruntime: nodejs\nmain: ${main}/index.js\n`,
    );
    expect(await up()).toContain("cp-1  ready");
    await setArguments(bench.stack, ["apiServerExtraArgs.goaway-chance=0.001"]);
    await up();
    const [vm] = await bench.vms();
    const manifest = "/etc/kubernetes/manifests/kube-apiserver.yaml";
    expect(fileOnNode(bench, vm!.vm_id, manifest)).toContain("--goaway-chance=0.001");
    await bench.pulumi(["refresh", "--yes", "--skip-preview", "--expect-no-changes"]);
    await destroy();
    expect(await left()).toEqual([]);
});

test("a program of today refuses a server of 0.1 before anything is made", async () => {
    bench = await openBench({ programs: formerServer() });
    // Without the preview that would refuse it before.
    expect(await up(1)).toMatch(upgradeFirst);
    expect(await left()).toEqual([]);
    expect((await bench.bootstrap("listClusters")).clusters).toEqual([]);
});

test("with a server of 0.1 a change is refused; a refresh and a destroy go on", async () => {
    bench = await openWorld("v0.1", "single", { programs: formerServer() });
    // Today's program has other files for the nodes.
    expect(await bench.pulumi(["preview"], 1)).toMatch(upgradeFirst);
    await bench.pulumi(["refresh", "--yes", "--skip-preview", "--expect-no-changes"]);
    expect(await up(1)).toMatch(upgradeFirst);
    await destroy();
    expect(await left()).toEqual([]);
    expect((await bench.bootstrap("listClusters")).clusters).toEqual([]);
});
