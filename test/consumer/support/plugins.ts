import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import type { ReadyEngine } from "../../../tools/engine";
import { placePlugin } from "../../../tools/engine/plugins";

/**
 * Puts the plugins that our package asks for into PULUMI_HOME, for a project that has it installed. The official
 * engine gets plugins by itself, which the stand-ins cannot.
 */
export async function placePlugins(
    engine: ReadyEngine,
    pulumiHome: string,
    project: string,
): Promise<void> {
    const manifest = realpathSync(join(project, "node_modules/excloud-k8s/package.json"));
    const lookup = createRequire(manifest);
    for (const plugin of engine.plugins) {
        const { version } = lookup(`@pulumi/${plugin.name}/package.json`) as { version: string };
        await placePlugin(pulumiHome, { ...plugin, version });
    }
}
