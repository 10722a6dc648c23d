import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { engineEnvironment, type EngineEnvironment } from "../../../tools/engine";
import { REPOSITORY } from "../../../tools/engine/repository";
import { folderAt } from "../../../tools/playground/folder";
import { startServices, stopServices, type Services } from "../../../tools/playground/services";
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
    const all = readdirSync(join(REPOSITORY, "examples"));
    // The quickstart is used by all other tests of this level.
    expect(all.filter((name) => name !== "quickstart")).toEqual(Object.keys(uses).sort());
});

test.each(Object.entries(uses))("%s", async (name, use) => {
    const projectFolder = join(folder.root, "projects", name);
    mkdirSync(projectFolder, { recursive: true });
    const live = new Live(name, { engine, services, cloudFolder: folder.cloud, projectFolder });
    await live.stack.ensure();
    await live.configure({ subnetId: use.subnetId ?? 1, ...(await use.prepare?.(live)) });

    await live.pulumi(["up", "--yes", "--skip-preview"]);
    expect((await live.inventory())["vms"]).toHaveLength(use.nodes);
    await use.check(live);
    await live.pulumi(["preview", "--diff", "--expect-no-changes"]);

    await use.beforeDestroy?.(live);
    await live.pulumi(["destroy", "--yes", "--skip-preview"]);
    await use.cleanUp?.(live);
    expect(Object.values(await live.inventory()).flat()).toEqual([]);
});
