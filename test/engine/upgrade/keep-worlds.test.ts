import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@jest/globals";

import { REPOSITORY } from "../../../tools/engine/repository";
import { stopServices } from "../../../tools/playground/services";
import { folderToKeep, keepWorld, type WorldName, worldNames, worlds } from "../../kept/world";
import { startSshMachine } from "../../support/ssh-machine";
import { VmServers } from "../bootstrap-server/vm-servers";
import { type Bench, openBench } from "../cluster/harness";
import { builderKeys } from "../image/builder-keys";

// Keeps what this release leaves, for the releases after it: `EXCLOUD_KEEP_WORLDS=v0.2 npx jest ... keep-worlds`.

const release = process.env["EXCLOUD_KEEP_WORLDS"];
const up = (bench: Bench) => bench.pulumi(["up", "--yes", "--skip-preview"]);

/** So that the certificates need no renewal while the state is looked at. */
const certificates = { validityDays: 3650, renewBeforeDays: 1 };

/** Makes the world; gives what is to be ended before it is kept. */
const make: Record<WorldName, (bench: Bench) => Promise<(() => Promise<void>) | undefined>> = {
    single: async (bench) => {
        await bench.stack.setObject("cluster", await withOneNode(bench));
        await up(bench);
        return undefined;
    },
    three: async (bench) => {
        await up(bench);
        return undefined;
    },
    "bootstrap-server": async (bench) => {
        delete bench.stack.options.env["EXCLOUD_BOOTSTRAP_TOKEN"];
        await bench.stack.setObject("cluster", await withOneNode(bench));
        await bench.stack.setObject("server", {
            imageId: 1,
            instanceType: "t1a.small",
            subnetId: 1,
            npmRegistry: "https://npm.example",
            allocatePublicIpv4: false,
        });
        const servers = new VmServers(bench.folder.cloud);
        await up(bench);
        const { stdout } = await bench.stack.capture([
            ...["stack", "output", "operatorToken", "--show-secrets"],
        ]);
        bench.stack.options.env["EXCLOUD_BOOTSTRAP_TOKEN"] = stdout.trim();
        await bench.stack.set("withCluster", true);
        await up(bench);
        return () => servers.close();
    },
    image: async (bench) => {
        const machine = await startSshMachine(() => builderKeys(bench.folder.cloud));
        await bench.stack.setObject("ssh", { host: "127.0.0.1", port: machine.port });
        await bench.stack.setObject("image", {
            ...{ baseImageId: 1, instanceType: "t1a.medium", subnetId: 1 },
            sshAllowedCidrs: ["127.0.0.1/32"],
        });
        await up(bench);
        return () => machine.close();
    },
};

async function withOneNode(bench: Bench): Promise<object> {
    const { stdout } = await bench.stack.capture(["config", "get", "cluster"]);
    return { ...(JSON.parse(stdout) as object), controlPlaneCount: 1 };
}

const keeps = release === undefined ? test.skip : test;
keeps.each(worldNames)(
    "the world %s is kept",
    async (name) => {
        const folder = folderToKeep(name);
        const bench = await openBench(
            { ports: worlds[name].ports, arguments: { certificates } },
            folder,
        );
        try {
            const main = join(REPOSITORY, worlds[name].program);
            writeFileSync(folder.projectFile, `name: quickstart\nruntime: nodejs\nmain: ${main}\n`);
            const end = await make[name](bench);
            await bench.pulumi(["preview", "--expect-no-changes"]);
            const { stdout: state, code } = await bench.stack.capture(["stack", "export"]);
            expect(code).toBe(0);
            await end?.();
            await stopServices(folder);
            await keepWorld(release!, name, folder, state);
        } finally {
            await bench.close();
        }
        // Most of it is the compression of the database.
    },
    600_000,
);
