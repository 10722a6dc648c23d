import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { type EngineEnvironment, engineEnvironment } from "../../../tools/engine";
import { REPOSITORY } from "../../../tools/engine/repository";
import { folderAt } from "../../../tools/playground/folder";
import { type Services, startServices, stopServices } from "../../../tools/playground/services";
import { Live } from "./live";
import { uses } from "./uses";

// Every folder of examples/ is used as its first lines say: up, a preview that is empty, destroy.

const folder = folderAt(mkdtempSync(join(tmpdir(), "examples-")));
let services: Services;
let engine: EngineEnvironment;

beforeAll(async () => {
    services = await startServices(folder, { server: 0 }, undefined);
    engine = await engineEnvironment({
        home: folder.home,
        backend: pathToFileURL(folder.state).href,
        passphrase: "examples",
    });
});
afterAll(async () => {
    await stopServices(folder);
    rmSync(folder.root, { recursive: true, force: true });
});

test("every example has a use here", () => {
    const folders = readdirSync(join(REPOSITORY, "examples"), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        // The quickstart is used by all other tests of this level.
        .filter((name) => name !== "quickstart");
    expect(folders.sort()).toEqual(Object.keys(uses).sort());
});

test.each(Object.entries(uses))("%s", async (name, use) => {
    const projectFolder = join(folder.root, "projects", name);
    mkdirSync(projectFolder, { recursive: true });
    const live = new Live(name, { engine, services, cloudFolder: folder.cloud, projectFolder });
    await live.stack.ensure();
    // Empty, unless another example has failed.
    const before = await live.inventory();
    await live.configure({ subnetId: use.subnetId ?? 1, ...(await use.prepare?.(live)) });

    if (use.isPreviewedOnly !== undefined) {
        expect(await live.pulumi(["preview", "--diff"])).toMatch(/^ +\+ \d+ to create$/m);
        return;
    }
    await live.pulumi(["up", "--yes", "--skip-preview"]);
    const { vms = [] } = await live.inventory();
    expect(vms.length - before["vms"]!.length).toBe(use.nodes);
    await use.check?.(live);
    await live.pulumi(["preview", "--diff", "--expect-no-changes"]);

    await use.beforeDestroy?.(live);
    await live.pulumi(["destroy", "--yes", "--skip-preview"]);
    await use.cleanUp?.(live);
    expect(await live.inventory()).toEqual(before);
});
