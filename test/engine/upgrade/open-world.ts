import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { PlaygroundOptions } from "../../../tools/playground/playground";
import { unpackWorld, type WorldName, worlds } from "../../kept/world";
import { type Bench, openBench } from "../cluster/harness";

/** Opens a kept world: its services run, and its stack is in a backend. */
export async function openWorld(
    release: string,
    name: WorldName,
    options: Partial<PlaygroundOptions> = {},
): Promise<Bench> {
    const folder = await unpackWorld(release, name);
    const bench = await openBench({ ports: worlds[name].ports, ...options }, folder);
    const main = join(__dirname, "../../..", worlds[name].program);
    writeFileSync(folder.projectFile, `name: quickstart\nruntime: nodejs\nmain: ${main}\n`);
    await bench.pulumi(["stack", "import", "--file", join(folder.root, "state.json")]);
    return bench;
}
