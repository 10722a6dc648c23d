// Runs the project from a fresh clone: `node tools/run.mjs start|test|test:full|test:consumer|test:cluster [arguments]`.
//
// All first do the set-up that is missing: packages, compiled code, a Pulumi engine. `setup` does
// that alone. Plain JavaScript without dependencies, as it runs before `npm install`.
import { runClusterTests } from "./setup/cluster-tests.mjs";
import { run } from "./setup/command.mjs";
import { compile } from "./setup/compile.mjs";
import { prepareEngine } from "./setup/engine.mjs";
import { checkNodeVersion } from "./setup/node-version.mjs";
import { installPackages } from "./setup/packages.mjs";
import { repository } from "./setup/repository.mjs";
import { runConsumerTests, runFullTests, runTests } from "./setup/tests.mjs";

/** What each command does after set-up; gives the exit code. */
const COMMANDS = {
    setup: async () => 0,
    start: (args) => run(process.execPath, [repository("tools/dist/playground/main.js"), ...args]),
    test: runTests,
    "test:full": runFullTests,
    "test:consumer": runConsumerTests,
    "test:cluster": runClusterTests,
};

const [name = "", ...args] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (command === undefined) {
    console.error(`usage: node tools/run.mjs ${Object.keys(COMMANDS).join("|")} [arguments]`);
    process.exit(2);
}
try {
    checkNodeVersion();
    await installPackages();
    await compile();
    await prepareEngine();
    process.exitCode = await command(args);
} catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
}
