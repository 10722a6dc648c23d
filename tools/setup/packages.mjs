import { existsSync } from "node:fs";

import { runQuietly } from "./command.mjs";
import { readJson, repository } from "./repository.mjs";
import { step } from "./step.mjs";

/** npm's own record of what it installed. */
const INSTALLED = "node_modules/.package-lock.json";

/** Installs the packages of package-lock.json unless exactly these are installed. */
export async function installPackages() {
    if (!isInstalled()) {
        await step("installing packages", () =>
            runQuietly("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]),
        );
    }
}

function isInstalled() {
    return (
        existsSync(repository(INSTALLED)) &&
        missingPackages(readJson("package-lock.json"), readJson(INSTALLED)).length === 0
    );
}

/**
 * Folders of packages that a lock file asks for and npm's record does not have at that version.
 * Optional packages may be absent, as they fit other platforms.
 */
export function missingPackages(wanted, installed) {
    return Object.entries(wanted.packages)
        .filter(([folder, entry]) => folder.includes("node_modules/") && !entry.optional)
        .filter(([folder, entry]) => {
            const found = installed.packages[folder];
            return found === undefined || found.version !== entry.version;
        })
        .map(([folder]) => folder);
}
