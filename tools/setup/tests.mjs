import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { run } from "./command.mjs";
import { repository } from "./repository.mjs";
import { ENGINE_TURNS, inTurn, turnOfCommit } from "./turns.mjs";

const LEVELS = ["unit", "contract", "engine"];

/**
 * Runs jest and ends with one line, `N passed, N failed`.
 *
 * @param {string[]} levels whose tests run, unless the arguments say `--selectProjects`
 * @param {string[]} args for jest, such as a path
 * @param {(report: object) => void} onReport receives what jest says of each test
 * @returns {Promise<number>} 0 when at least one test ran and none failed
 */
export async function runJest(levels, args, onReport = () => undefined) {
    const folder = mkdtempSync(path.join(tmpdir(), "excloud-k8s-test-"));
    try {
        const results = path.join(folder, "results.json");
        process.env["EXCLOUD_TURN"] = String(turnOfCommit()); // read by test/support/sample.ts
        const code = await run(process.execPath, [
            repository("node_modules/jest/bin/jest.js"),
            ...(args.some((arg) => arg.startsWith("--selectProjects"))
                ? []
                : ["--selectProjects", ...levels]),
            "--json",
            `--outputFile=${results}`,
            ...args,
        ]);
        const report = readReport(results);
        onReport(report);
        const passed = report.numPassedTests;
        // A file of tests that does not even load counts as one failure.
        const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
        console.log(`${passed} passed, ${failed} failed`);
        return code === 0 && failed === 0 && passed > 0 ? 0 : 1;
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

/**
 * Runs the tests that need no real nodes. Without arguments, those of the engine that take turns are left
 * out unless it is their turn.
 *
 * @param {string[]} args for jest
 */
export function runTests(args) {
    if (args.some((arg) => !arg.startsWith("-") || arg.startsWith("--selectProjects"))) {
        return runJest(LEVELS, args);
    }
    const row = inTurn(ENGINE_TURNS);
    console.log(`of the tests that take turns, this commit runs ${row.join(" ")}`);
    const others = ENGINE_TURNS.filter((turn) => turn !== row).flat();
    return runJest(LEVELS, [...args, "--testPathIgnorePatterns", ...others]);
}

/** As {@link runTests}, and tests that otherwise take a sample of their points, or turns, take them all. */
export function runFullTests(args) {
    process.env["EXCLOUD_FULL"] = "1"; // read by test/support/sample.ts
    return runJest(LEVELS, args);
}

/** Runs the tests of the packages as a consumer gets them: each installs from a registry and runs Pulumi. */
export function runConsumerTests(args) {
    return runJest(["consumer"], args);
}

/** What jest wrote; one failure where it ended before it wrote anything. */
function readReport(file) {
    try {
        return JSON.parse(readFileSync(file, "utf8"));
    } catch {
        return {
            numPassedTests: 0,
            numFailedTests: 1,
            numRuntimeErrorTestSuites: 0,
            testResults: [],
        };
    }
}
