import { readJson } from "./repository.mjs";

/**
 * Ends with a message where Node.js is older than package.json asks (`engines.node`, `>=x.y.z`).
 *
 * @param {string} [version] of the running Node.js
 */
export function checkNodeVersion(version = process.versions.node) {
    const wanted = readJson("package.json").engines.node.replace(/^>=\s*/, "");
    if (isOlder(version, wanted)) {
        throw new Error(
            `Node.js ${wanted} or newer is needed, this is ${version}: install a newer one`,
        );
    }
}

function isOlder(version, wanted) {
    const [left, right] = [version, wanted].map((text) => text.split(".").map(Number));
    const position = left.findIndex((part, index) => part !== right[index]);
    return position >= 0 && left[position] < right[position];
}
