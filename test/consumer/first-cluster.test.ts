import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { isAlive } from "../../cli/processes";
import { ensureEngine, type ReadyEngine } from "../../tools/engine";
import { packAll } from "../../tools/packages/pack";
import { runOnTheCluster, tutorial } from "../support/docs/uses";
import { Computer, folderIn } from "./support/computer";
import { nodeFolder } from "./support/downloads";
import { placePlugins } from "./support/plugins";
import { readTutorial, scriptOf } from "./support/tutorial";

// docs/first-cluster.md as a newcomer follows it: its files are written and its commands run, in one shell, as
// they stand. Only the packages come from their tarballs. Before its last step, which ends the cluster, come the
// commands that other pages show.

const root = mkdtempSync(join(tmpdir(), "tutorial-"));
const folder = folderIn(root, "first-cluster");
const pulumiHome = folderIn(root, "pulumi-home");
/** What docs/operating.md has done before: the server's command is found, and knows its data folder. */
const installedGlobally =
    'export PATH="$PWD/node_modules/.bin:$PATH" EXCLOUD_BOOTSTRAP_DATA_DIR=bootstrap-data';
let computer: Computer;
let engine: ReadyEngine;

beforeAll(async () => {
    engine = await ensureEngine((line) => console.error(line));
    const empty = await Computer.empty(join(root, "home"));
    computer = empty.with({ PULUMI_HOME: pulumiHome, PULUMI_SKIP_UPDATE_CHECK: "1" }, [
        await nodeFolder(empty, "22"),
        engine.folder,
    ]);
});
afterAll(() => {
    // What the last step ends, unless one before it failed.
    for (const file of ["cloud.json", "bootstrap.json"].map((name) => join(folder, name))) {
        if (!existsSync(file)) {
            continue;
        }
        const { pid } = JSON.parse(readFileSync(file, "utf8")) as { pid: number };
        if (isAlive(pid)) {
            process.kill(pid);
        }
    }
    rmSync(root, { recursive: true, force: true });
});

test("docs/first-cluster.md works as it stands, and commands of other pages on its cluster", async () => {
    const run = (script: string) =>
        computer.run(folder, "bash", "-c", `set -euo pipefail\n${script}`);
    const [packages, ...others] = readTutorial(tutorial).map(scriptOf);
    const end = others.pop();
    const tarballs = await packAll(folderIn(root, "tarballs"));
    await run(
        packages!.replace(
            /excloud-[\w-]+/g,
            (name) => tarballs[name as keyof typeof tarballs].file,
        ),
    );
    await placePlugins(engine, pulumiHome, folder);
    const printed = await run([...others, installedGlobally, ...runOnTheCluster, end].join("\n"));
    for (const slot of ["cp-1", "cp-2", "cp-3"]) {
        expect(printed).toMatch(new RegExp(`${slot} .*ready`));
    }
    expect(printed).toMatch(/\+ +maxPods: 60/);
    expect(printed).toMatch(/- \d+ deleted/);
    expect(readFileSync(join(folder, "kubeconfig"), "utf8")).toContain("client-certificate-data");
});
