import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "@jest/globals";

import { REPOSITORY } from "../../../tools/engine/repository";

// docs/api is what `npm run docs` makes of the comments today; something exported without one is an error.

test("docs/api is what `npm run docs` writes", () => {
    const folder = mkdtempSync(join(tmpdir(), "api-reference-"));
    try {
        const typedoc = join(REPOSITORY, "node_modules/typedoc/bin/typedoc");
        execFileSync(process.execPath, [typedoc, "--out", folder], { cwd: REPOSITORY });
        expect(textsIn(join(REPOSITORY, "docs/api"))).toEqual(textsIn(folder));
    } finally {
        rmSync(folder, { recursive: true });
    }
});

function textsIn(folder: string): Record<string, string> {
    return Object.fromEntries(
        readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]),
    );
}
