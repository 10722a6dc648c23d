import { readdirSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { setArguments } from "../../../tools/playground/playground";
import { releases, worldNames } from "../../kept/world";
import { inTurn, isFull } from "../../support/sample";
import { VmServers } from "../bootstrap-server/vm-servers";
import { type Bench, type StateResource, type Step, typeOf } from "../cluster/harness";
import { openWorld } from "./open-world";

// The stacks, clouds and databases that releases left, taken over by the present code: a preview and an `up` may
// bring new files to the nodes. They replace nothing, and no secret becomes another one. Three rules keep it so: a
// secret that exists stays on the resource that holds it, control planes keep their parents, and a compared input
// that older states lack is compared with its default.

/** What holds nothing but files, and what waits until nodes have them. */
const filesOnly = ["RoleFiles", "NodeBundle", "ClusterReadiness"];

/** All that a state keeps, secrets in clear. */
async function stateOf({ stack }: Bench): Promise<StateResource[]> {
    const text = (await stack.capture(["stack", "export", "--show-secrets"])).stdout;
    return (JSON.parse(text) as { deployment: { resources: StateResource[] } }).deployment
        .resources;
}

/** Every secret of a state, by the resource and the property that hold it. */
function secretsIn(resources: readonly StateResource[]): Record<string, unknown> {
    const secrets: Record<string, unknown> = {};
    const collect = (value: unknown, path: string): void => {
        if (typeof value !== "object" || value === null) {
            return;
        }
        if ("plaintext" in value) {
            secrets[path] = value.plaintext;
            return;
        }
        for (const [key, member] of Object.entries(value)) {
            collect(member, `${path} ${key}`);
        }
    };
    for (const { urn, outputs } of resources) {
        collect(outputs, urn);
    }
    return secrets;
}

const idsOf = (resources: readonly StateResource[]) =>
    Object.fromEntries(resources.map(({ urn, id }) => [urn, id ?? ""]));
const changed = (steps: readonly Step[]) => steps.filter(({ op }) => op !== "same");
const beyondFiles = (steps: readonly Step[]) =>
    changed(steps).filter((step) => step.op !== "update" || !filesOnly.includes(typeOf(step)));

/** The single one at every commit, the others in turn. */
const taken = ["single", ...inTurn(worldNames.filter((name) => name !== "single"))] as const;
const kept = releases().flatMap((release) => taken.map((name) => [release, name] as const));

test("a world of each kind is kept", () => {
    expect(releases()).toContain("v0.1");
    expect(readdirSync(join(__dirname, "../../kept/v0.1")).sort()).toEqual(
        [...worldNames.map((name) => `${name}.tar.br`), "packages"].sort(),
    );
});

describe.each(kept)("%s: %s", (release, name) => {
    let bench: Bench;
    let servers: VmServers | undefined;
    let before: StateResource[];

    beforeAll(async () => {
        bench = await openWorld(release, name);
        if (name === "bootstrap-server") {
            servers = new VmServers(bench.folder.cloud);
            const shown = ["stack", "output", "operatorToken", "--show-secrets"];
            const token = (await bench.stack.capture(shown)).stdout.trim();
            bench.stack.options.env["EXCLOUD_BOOTSTRAP_TOKEN"] = token;
        }
        before = await stateOf(bench);
    });
    afterAll(async () => {
        await servers?.close();
        await bench?.close();
    });

    test("a preview brings new files at most", async () => {
        expect(beyondFiles(await bench.preview())).toEqual([]);
    });

    test("so does `up`: everything has the id it had, every secret its value", async () => {
        const vms = await bench.vms();
        await bench.pulumi(["up", "--yes", "--skip-preview"]);
        const after = await stateOf(bench);
        expect(idsOf(after)).toEqual(idsOf(before));
        expect(Object.keys(secretsIn(before)).length).toBeGreaterThan(0);
        // Files with keys are among them: those of a new release may be others.
        const filesApart = (secrets: Record<string, unknown>) =>
            Object.fromEntries(
                Object.entries(secrets).filter(([path]) => !/ secretFiles /.test(path)),
            );
        expect(filesApart(secretsIn(after))).toEqual(filesApart(secretsIn(before)));
        expect(await bench.vms()).toEqual(vms);
    });

    test("a refresh finds everything as it was", async () => {
        await bench.pulumi(["refresh", "--yes", "--skip-preview", "--expect-no-changes"]);
    });

    if (name === "single" || (isFull && name !== "image")) {
        test("a change still reaches the nodes", async () => {
            await setArguments(bench.stack, ["apiServerExtraArgs.goaway-chance=0.001"]);
            const steps = changed(await bench.preview());
            expect(beyondFiles(steps)).toEqual([]);
            expect(steps.length).toBeGreaterThan(1);
            await bench.pulumi(["up", "--yes", "--skip-preview"]);
            expect(changed(await bench.preview())).toEqual([]);
        });
    }

    if (name === "single" || isFull) {
        test("it can be destroyed", async () => {
            await bench.pulumi(["destroy", "--yes", "--skip-preview"]);
            expect(Object.values(await bench.inventory()).flat()).toEqual([]);
        });
    }
});
