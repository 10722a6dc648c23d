import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

import { cacheFolder } from "../../../tools/engine/repository";
import type { Computer } from "./computer";

const NODE = `node-${process.platform}-${process.arch}`;

/**
 * The folder that holds `node`.
 *
 * @param version exact, or a major version for its newest
 */
export async function nodeFolder(computer: Computer, version: string): Promise<string> {
    return join(await keptPackage(computer, `${NODE}@${version}`), NODE, "bin");
}

/** The folder that holds the command of a package, such as `pnpm@10`. */
export async function commandFolder(computer: Computer, spec: string): Promise<string> {
    return join(await keptPackage(computer, spec), ".bin");
}

/** A package from npm, kept beside the engine in the cache; gives its `node_modules`. */
export async function keptPackage(computer: Computer, spec: string): Promise<string> {
    const folder = join(dirname(cacheFolder()), "npm", spec);
    if (!existsSync(folder)) {
        const partial = `${folder}.partial-${process.pid}`;
        mkdirSync(partial, { recursive: true });
        await computer.run(
            partial,
            "npm",
            "install",
            "--prefix",
            partial,
            "--ignore-scripts",
            spec,
        );
        rmSync(folder, { recursive: true, force: true });
        renameSync(partial, folder);
    }
    return join(folder, "node_modules");
}
