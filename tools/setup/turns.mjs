import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";

import { repository } from "./repository.mjs";

/**
 * Tests on the engine that take turns, in rows of about five minutes each: a run takes one row, so that
 * every commit is tested within a time that people wait for. `npm run test:full` takes all of them.
 */
export const ENGINE_TURNS = [
    ["test/engine/examples/"],
    ["test/engine/options/", "test/engine/cluster/growth"],
    ["test/engine/bootstrap-server/", "test/engine/docs/", "test/engine/tools/"],
    ["test/engine/image/", "test/engine/upgrade/former", "test/engine/faults/adoption"],
    ["test/engine/faults/matrix", "test/engine/faults/drift"],
    ["test/engine/faults/killed", "test/engine/faults/repair", "test/engine/faults/degraded"],
];

/** Stories that need more than what a cluster is made of, and what that is; it takes long to build. */
export const MORE_PROGRAMS = {
    "test/stories/next-minor.test.ts": "former",
    "test/stories/larger-program.test.ts": "kubernetesPlugin",
};

/** Stories on real nodes, a file each: `npm run test:cluster -- --all` runs all of them. */
export const STORIES = readdirSync(repository("test/stories"))
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => `test/stories/${name}`)
    .sort();

/** The story of this commit, one of those that need nothing more. */
export function storyInTurn() {
    return inTurn(STORIES.filter((story) => !Object.hasOwn(MORE_PROGRAMS, story)));
}

/** Hash of the present commit; empty where there is none. */
export function commit() {
    try {
        return execFileSync("git", ["rev-parse", "HEAD"], {
            cwd: repository("."),
            encoding: "utf8",
            stdio: ["ignore", "pipe", "ignore"],
        }).trim();
    } catch {
        return "";
    }
}

/** A number that the commit gives, so that the same commit runs the same tests. */
export function turnOfCommit() {
    return Number.parseInt(commit().slice(0, 8) || "0", 16);
}

/** The one of several whose turn it is at this commit. */
export function inTurn(rows) {
    return rows[turnOfCommit() % rows.length];
}
