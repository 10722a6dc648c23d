import { spawnSync } from "node:child_process";
import {
    chmodSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    realpathSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

/** The compiled command: `npm run build` makes it. */
const main = join(__dirname, "../../../dist/cli/main.js");

// The `pulumi` here is a script that notes its arguments; the engine's tests run the real one.
let folder: string;
const calls = () => readFileSync(join(folder, "calls"), "utf8").trim().split("\n");

beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "cli-")));
    const script = [
        "#!/bin/sh",
        `echo "$PWD $*" >> ${folder}/calls`,
        'case "$1 $2" in',
        '"stack --show-name") echo organization/shop/prod ;;',
        `"whoami --json") echo '{"url":"file://${folder}"}' ;;`,
        `"stack export") echo '{"deployment":{}}' ;;`,
        "esac",
    ].join("\n");
    mkdirSync(join(folder, ".pulumi"));
    writeFileSync(join(folder, "pulumi"), script);
    chmodSync(join(folder, "pulumi"), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (args: string[], path = `${folder}:/usr/bin:/bin`) =>
    spawnSync(process.execPath, [main, ...args], {
        encoding: "utf8",
        env: { PATH: path },
        input: "",
    });

test("the stack and the folder go to the `pulumi` on PATH", () => {
    const { status, stdout } = run(["unlock", "--stack", "prod", "--cwd", folder]);
    expect([status, stdout]).toEqual([0, expect.stringContaining("nothing to do")]);
    expect(calls()).toEqual([
        `${folder} whoami --json --non-interactive`,
        `${folder} stack --show-name --fully-qualify-stack-names --stack prod --non-interactive`,
        `${folder} stack export --stack prod --non-interactive`,
    ]);
});

test.each([
    [["unlock", "--force"], "unknown option '--force'"],
    [["open"], "unknown command 'open'"],
])("%j is refused", (args, message) => {
    const { status, stderr } = run(args);
    expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
});

test("a missing `pulumi` is said in one line", () => {
    const { status, stderr } = run(["unlock", "--cwd", folder], "/nowhere");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^pulumi cannot be started in .*ENOENT.* Next: install it.*\n$/);
});
