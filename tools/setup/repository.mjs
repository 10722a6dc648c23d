import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../../", import.meta.url);

/** Absolute path of a file of this repository. */
export function repository(relative) {
    return fileURLToPath(new URL(relative, root));
}

/** Content of a JSON file of this repository. */
export function readJson(relative) {
    return JSON.parse(readFileSync(repository(relative), "utf8"));
}
