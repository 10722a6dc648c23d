import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { ensureKubernetesPlugin, kubernetesPlugin } from "../../tools/binaries";
import { runCommand } from "../../tools/engine/command";
import { REPOSITORY } from "../../tools/engine/repository";
import { Stack } from "../../tools/engine/stack";
import { outputsOf } from "../../tools/playground/playground";
import { RealCluster } from "../support/real-nodes/real-cluster";

// `examples/larger-program` on a real node: the platform's stack, then the application's on its cluster.

const { version } = kubernetesPlugin;
const npmTimeoutMs = 10 * 60_000;
const pluginTimeoutMs = 60_000;

interface Deployment {
    status: { readyReplicas?: number };
}

let cluster: RealCluster;
let application: Stack;

/** Copies the example, to say in it what a real node on one machine needs. */
function copyOf(example: string, folder: string, edits: Record<string, Record<string, string>>) {
    cpSync(join(REPOSITORY, "examples", example), folder, {
        recursive: true,
        filter: (file) => !file.includes("node_modules"),
    });
    for (const [file, replacements] of Object.entries(edits)) {
        let text = readFileSync(join(folder, file), "utf8");
        for (const [old, fresh] of Object.entries(replacements)) {
            expect(text).toContain(old);
            text = text.replace(old, fresh);
        }
        writeFileSync(join(folder, file), text);
    }
}

beforeAll(async () => {
    const plugin = await ensureKubernetesPlugin(() => undefined);
    cluster = await RealCluster.open({});
    const { folder, stack, services } = cluster.bench;

    const platform = join(folder.root, "platform");
    copyOf("larger-program", platform, {
        "index.ts": {
            "subnetId: network.subnetId,":
                'subnetId: network.subnetId,\n    ...config.requireObject("node"),',
        },
    });
    symlinkSync(join(REPOSITORY, "node_modules"), join(platform, "node_modules"));
    writeFileSync(folder.projectFile, `name: larger-program\nruntime: nodejs\nmain: ${platform}\n`);
    await stack.ensure();
    await stack.setObject("node", {
        allocatePublicIpv4: false,
        mirrors: services.real!.mirrors,
        ...services.real!.clusterArguments,
    });
    await stack.set("imageId", 1);
    await stack.set("subnetId", 1);
    await stack.set("bootstrapUrl", services.bootstrapUrl);
    await stack.set("bootstrapCa", services.bootstrapCaPem);

    const project = join(folder.root, "application");
    copyOf("larger-program/application", project, {
        // This machine asks another DNS than the cloud's.
        "index.ts": { 'requireOutput("kubeconfig")': 'requireOutput("internalKubeconfig")' },
        // The release that the plugin is built for.
        "package.json": { '"@pulumi/kubernetes": "^4.25.0"': `"@pulumi/kubernetes": "${version}"` },
    });
    const npm = ["install", "--ignore-scripts", "--no-audit", "--no-fund"];
    await runCommand({ file: "npm", args: npm, cwd: project, timeoutMs: npmTimeoutMs });
    const { pulumi: file, env } = stack.options;
    const install = ["plugin", "install", "resource", "kubernetes", version, "--file", plugin];
    await runCommand({ file, args: install, env, timeoutMs: pluginTimeoutMs });
    application = new Stack({ ...stack.options, project });
    await application.ensure();
});
afterAll(() => cluster?.close());

test("the platform's cluster comes up", async () => {
    expect(await cluster.up()).toContain("cp-1  ready");
    await cluster.kubeconfig();
});

test("the application runs on it: `up` ends when its pods are ready", async () => {
    await application.run(["up", "--yes", "--skip-preview"]);
    const { name } = await outputsOf(application);
    const { status } = await cluster.get<Deployment>("deployment", String(name));
    expect(status.readyReplicas).toBe(2);
});

test("neither program has a change to make", async () => {
    await application.run(["preview", "--diff", "--expect-no-changes"]);
    await cluster.bench.pulumi(["preview", "--diff", "--expect-no-changes"]);
});

test("the application goes, and the platform after it", async () => {
    await application.run(["destroy", "--yes", "--skip-preview"]);
    const left = await cluster.get<{ items: unknown[] }>("deployments");
    expect(left.items).toEqual([]);
    await cluster.bench.pulumi(["destroy", "--yes", "--skip-preview"]);
    expect(Object.values(await cluster.bench.inventory()).flat()).toEqual([]);
});
