import { execFileSync } from "node:child_process";

import { expect, test } from "@jest/globals";

import { REPOSITORY } from "../../../tools/engine/repository";

test("npm start -- --once takes a cluster through its life", () => {
    const printed = execFileSync("npm", ["start", "--", "--once"], {
        cwd: REPOSITORY,
        encoding: "utf8",
    });
    expect(printed).toMatch(/^once: ok, \d+ resources created, 0 left$/m);
});
