import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { ensureEngine, type ReadyEngine } from "../../tools/engine";
import { REPOSITORY } from "../../tools/engine/repository";
import { packAll, type PublicPackage, type Tarball } from "../../tools/packages/pack";
import { folderAt } from "../../tools/playground/folder";
import { type Services, startServices, stopServices } from "../../tools/playground/services";
import { inventoryOf } from "../support/inventory";
import { isFull } from "../support/sample";
import { all, type Combination, covering, titleOf } from "./support/combinations";
import { Computer, folderIn } from "./support/computer";
import { commandFolder, nodeFolder } from "./support/downloads";
import { placePlugins } from "./support/plugins";
import { makeProject, type Project } from "./support/project";

// What somebody does who has never seen this repository: installs the packages from their tarballs into
// empty folders and runs Pulumi's own commands there. The services too are run as installed.

const root = mkdtempSync(join(tmpdir(), "consumer-"));
const servicesFolder = folderAt(folderIn(root, "services"));
let tarballs: Record<PublicPackage, Tarball>;
let computer: Computer;
let engine: ReadyEngine;
let services: Services;

beforeAll(async () => {
    tarballs = await packAll(folderIn(root, "tarballs"));
    computer = await Computer.empty(join(root, "home"));
    engine = await ensureEngine((line) => console.error(line));
    const folder = servicesFolder.root;
    await computer.run(folder, "npm", "init", "--yes");
    await computer.run(
        folder,
        "npm",
        "install",
        ...Object.values(tarballs).map(({ file }) => file),
    );
    const command = (name: PublicPackage) => join(folder, "node_modules/.bin", name);
    services = await startServices(servicesFolder, { server: 0 }, undefined, {
        cloud: command("excloud-local"),
        server: command("excloud-k8s-bootstrap"),
    });
});
afterAll(async () => {
    await stopServices(servicesFolder);
    rmSync(root, { recursive: true, force: true });
});

test.each<PublicPackage>(["excloud-k8s", "excloud-k8s-bootstrap", "excloud-local"])(
    "npx %s --help",
    async (name) => {
        const printed = await computer.run(servicesFolder.root, "npx", name, "--help");
        expect(printed).toContain(`Usage: ${name}`);
    },
);

test.each(
    (isFull ? all : covering).map((combination) => [titleOf(combination), combination] as const),
)("%s: up, an empty preview, a change, destroy", async (title, combination) => {
    const project = await installed(title, combination);
    if (combination.language === "TypeScript") {
        await project.run("npx", "tsc", "--noEmit");
    }
    await project.pulumi("login", `file://${folderIn(project.folder, "state")}`);
    await project.pulumi("stack", "init", "dev");
    await project.pulumi("config", "set", "bootstrapUrl", services.bootstrapUrl);
    await project.pulumi("config", "set", "bootstrapCa", "--", services.bootstrapCaPem);

    expect(await project.pulumi("up", "--yes")).toContain("cp-1  ready");
    await project.pulumi("preview", "--diff", "--expect-no-changes");

    project.edit("subnetId: 1,", 'subnetId: 1, apiServerExtraArgs: { "goaway-chance": "0.001" },');
    const preview = await project.pulumi("preview", "--diff");
    expect(preview.match(/^.*--goaway-chance=0\.001/gm)).toHaveLength(1);
    expect(preview).not.toMatch(/(\+-|-\+).*VirtualMachine/);
    await project.pulumi("up", "--yes", "--skip-preview");

    await project.pulumi("destroy", "--yes", "--skip-preview");
    await project.pulumi("stack", "rm", "dev", "--yes");
    expect(Object.values(await inventoryOf(services)).flat()).toEqual([]);
});

// It runs in test/stories/larger-program, as simulated nodes have no objects; here it has the newest SDK.
test("the application of examples/larger-program compiles", async () => {
    const folder = join(root, "application");
    cpSync(join(REPOSITORY, "examples/larger-program/application"), folder, { recursive: true });
    await computer.run(folder, "npm", "install", "--ignore-scripts");
    await computer.run(folder, "npx", "tsc", "--project", ".");
});

/** The project of a combination, on a computer that has what the combination says, and Pulumi. */
async function installed(title: string, combination: Combination): Promise<Project> {
    const folder = folderIn(root, title.replaceAll(/\W+/g, "-"));
    const pulumiHome = folderIn(folder, "pulumi-home");
    const equipped = computer.with(
        {
            PULUMI_HOME: pulumiHome,
            PULUMI_CONFIG_PASSPHRASE: "a stranger's passphrase",
            PULUMI_SKIP_UPDATE_CHECK: "1",
            ...services.environment,
        },
        [
            await nodeFolder(computer, combination.node),
            ...(combination.manager === "pnpm" ? [await commandFolder(computer, "pnpm@10")] : []),
            engine.folder,
        ],
    );
    const project = await makeProject(
        equipped,
        folderIn(folder, "project"),
        combination,
        tarballs["excloud-k8s"].file,
    );
    await placePlugins(engine, pulumiHome, project.folder);
    return project;
}
