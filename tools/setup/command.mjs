import { spawn } from "node:child_process";

import { repository } from "./repository.mjs";

/**
 * Runs a command in the repository's root with this terminal and gives its exit code.
 * Interrupts reach it through the terminal, and a termination is passed on.
 */
export function run(file, args) {
    const child = spawn(file, args, { cwd: repository("."), stdio: "inherit" });
    const wait = () => undefined;
    const end = () => child.kill("SIGTERM");
    process.on("SIGINT", wait);
    process.on("SIGTERM", end);
    return new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("exit", (code) => resolve(code ?? 1));
    }).finally(() => {
        process.off("SIGINT", wait);
        process.off("SIGTERM", end);
    });
}

/**
 * Runs a command in the repository's root without showing its output.
 * Fails with all of the output when the command does.
 */
export function runQuietly(file, args) {
    const child = spawn(file, args, { cwd: repository("."), stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk) => (output += chunk));
    }
    return new Promise((resolve, reject) => {
        child.once("error", (error) =>
            reject(new Error(`${file} cannot be started: ${error.message}`)),
        );
        child.once("close", (code) =>
            code === 0
                ? resolve()
                : reject(
                      new Error(
                          `${output}${[file, ...args].join(" ")} ended with ${code ?? "a signal"}`,
                      ),
                  ),
        );
    });
}
