import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { run } from "./command.mjs";
import { repository } from "./repository.mjs";

const LEVELS = ["unit", "contract", "engine"];

/**
 * Runs the tests and ends with one line, `N passed, N failed`.
 *
 * @param {string[]} args for jest; a `--selectProjects` among them replaces the default levels
 * @returns {Promise<number>} 0 when at least one test ran and none failed
 */
export async function runTests(args) {
    const folder = mkdtempSync(path.join(tmpdir(), "excloud-k8s-test-"));
    try {
        const results = path.join(folder, "results.json");
        const levels = args.includes("--selectProjects") ? [] : ["--selectProjects", ...LEVELS];
        const code = await run(process.execPath, [
            repository("node_modules/jest/bin/jest.js"),
            ...levels,
            "--json",
            `--outputFile=${results}`,
            ...args,
        ]);
        const { passed, failed } = count(results);
        console.log(`${passed} passed, ${failed} failed`);
        return code === 0 && failed === 0 && passed > 0 ? 0 : 1;
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

/** As {@link runTests}, and tests that otherwise take a sample of their points take them all. */
export function runAllTests(args) {
    process.env["EXCLOUD_FULL"] = "1"; // read by test/support/full.ts
    return runTests(args);
}

/**
 * Runs the tests of the packages as a consumer gets them, one after the other: each installs from a
 * registry and runs Pulumi.
 */
export function runConsumerTests(args) {
    return runTests(["--selectProjects", "consumer", "--runInBand", ...args]);
}

/** A file of tests that does not even load counts as one failure. */
function count(results) {
    try {
        const report = JSON.parse(readFileSync(results, "utf8"));
        return {
            passed: report.numPassedTests,
            failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
        };
    } catch {
        return { passed: 0, failed: 1 };
    }
}
