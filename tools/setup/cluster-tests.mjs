import { repository } from "./repository.mjs";
import { runTests } from "./tests.mjs";

/**
 * Runs the tests on real nodes, after making what these are made of; says so and does nothing where
 * this machine cannot have real nodes.
 *
 * @param {string[]} args for jest, such as a path
 * @returns {Promise<number>} 0 when no test failed
 */
export async function runClusterTests(args) {
    const { missingForRealNodes } = await import("excloud-local");
    const missing = missingForRealNodes();
    if (missing.length > 0) {
        console.log(`tests on real nodes skipped: this machine lacks ${missing.join(", ")}`);
        console.log("0 passed, 0 failed");
        return 0;
    }
    const { ensureArtifacts } = await import(repository("tools/dist/binaries/index.js"));
    await ensureArtifacts((line) => console.error(line), { former: true });
    // One cluster at a time: each takes all of a small machine.
    return runTests(["--selectProjects", "cluster", "--runInBand", ...args]);
}
