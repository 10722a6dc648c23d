import { existsSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";

/** Root folder of this repository, whether this file runs as source or compiled. */
export const REPOSITORY = rootAbove(__dirname);

/** Module that pins the engine and what it is built from. */
export const ENGINE_MODULE = path.join(REPOSITORY, "tools", "pulumi");

/** Folder outside the repository that keeps what is slow to get, for every clone of one user. */
export function cacheFolder(): string {
    const base = process.env["XDG_CACHE_HOME"];
    return path.join(
        base === undefined || base === "" ? path.join(homedir(), ".cache") : base,
        "excloud-k8s",
        "engine",
    );
}

function rootAbove(folder: string): string {
    if (existsSync(path.join(folder, "tools", "pulumi", "go.mod"))) {
        return folder;
    }
    const parent = path.dirname(folder);
    if (parent === folder) {
        throw new Error(`tools/pulumi/go.mod lies nowhere above ${__dirname}`);
    }
    return rootAbove(parent);
}
