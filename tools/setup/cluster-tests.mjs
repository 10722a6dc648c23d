import { repository } from "./repository.mjs";
import { writeStories } from "./stories.mjs";
import { runJest } from "./tests.mjs";
import { MORE_PROGRAMS, STORIES, storyInTurn } from "./turns.mjs";

/**
 * Runs the tests on real nodes and one of the stories, that of this commit, after making what these are
 * made of; says so and does nothing where this machine cannot have real nodes.
 *
 * @param {string[]} args `--all` for all stories, whose result is written into docs/reliability.md; else
 *   for jest, such as a path
 * @returns {Promise<number>} 0 when no test failed
 */
export async function runClusterTests(args) {
    if (!(await canHaveRealNodes())) {
        console.log("0 passed, 0 failed");
        return 0;
    }
    const isAll = args.includes("--all");
    const others = args.filter((arg) => arg !== "--all");
    const hasPath = others.some((arg) => !arg.startsWith("-"));
    const stories = isAll || hasPath ? STORIES : [storyInTurn()];
    const left = STORIES.filter((story) => !stories.includes(story));
    if (left.length > 0) {
        console.log(`of the stories, this commit runs ${stories.join(" ")}`);
        others.push("--testPathIgnorePatterns", ...left);
    }
    await makePrograms(isAll ? stories : undefined);
    // One cluster at a time: each takes all of a small machine.
    const levels = ["cluster", "story"];
    return runJest(
        levels,
        ["--runInBand", ...others],
        isAll && !hasPath ? writeStories : undefined,
    );
}

/** Makes what the tests on real nodes need, where this machine can have real nodes. */
export async function prepareClusterTests() {
    if (await canHaveRealNodes()) {
        await makePrograms();
    }
}

async function canHaveRealNodes() {
    const { missingForRealNodes } = await import("excloud-local");
    const missing = missingForRealNodes();
    if (missing.length > 0) {
        console.log(`tests on real nodes skipped: this machine lacks ${missing.join(", ")}`);
    }
    return missing.length === 0;
}

async function makePrograms(stories = []) {
    const { ensureArtifacts, ensureKubernetesPlugin } = await import(
        repository("tools/dist/binaries/index.js")
    );
    const report = (line) => console.error(line);
    const more = stories.map((story) => MORE_PROGRAMS[story]);
    await ensureArtifacts(report);
    if (more.includes("former")) {
        await ensureArtifacts(report, { former: true });
    }
    if (more.includes("kubernetesPlugin")) {
        await ensureKubernetesPlugin(report);
    }
}
