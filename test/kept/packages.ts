import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { extract } from "tar";

import { REPOSITORY } from "../../tools/engine/repository";
import { publicPackages } from "../../tools/packages/pack";

/** The packages that are kept of each release, as npm publishes them. */
const files = {
    "v0.1": {
        "excloud-k8s": "excloud-k8s-0.1.0.tgz",
        "excloud-k8s-bootstrap": "excloud-k8s-bootstrap-0.1.0.tgz",
        "excloud-local": "excloud-local-0.1.0.tgz",
    },
} as const;

/**
 * Makes a folder in which programs find the packages of a release, and all others as they are installed here.
 * Returns the folder of each of its packages.
 */
export async function installKept(
    release: keyof typeof files,
    folder: string,
): Promise<Record<keyof typeof publicPackages, string>> {
    const modules = join(folder, "node_modules");
    mkdirSync(modules, { recursive: true });
    const here = join(REPOSITORY, "node_modules");
    for (const name of readdirSync(here).filter((entry) => !(entry in publicPackages))) {
        symlinkSync(join(here, name), join(modules, name));
    }
    const installed = Object.entries(files[release]).map(async ([name, file]) => {
        const cwd = join(modules, name);
        mkdirSync(cwd);
        await extract({ cwd, strip: 1, file: join(__dirname, release, "packages", file) });
        return [name, cwd];
    });
    return Object.fromEntries(await Promise.all(installed)) as Record<
        keyof typeof publicPackages,
        string
    >;
}
