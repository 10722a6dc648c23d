import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

import { expect, test } from "@jest/globals";

import { REPOSITORY } from "../../../tools/engine/repository";
import { anchorsOf, pages, targetsOf } from "../../support/docs/markdown";

// Links and pictures that lead into the repository lead to something.

test.each(pages())("%s", (page) => {
    expect(targetsOf(page).filter((target) => !leadsSomewhere(page, target))).toEqual([]);
});

function leadsSomewhere(page: string, target: string): boolean {
    if (/^[a-z]+:/.test(target)) {
        return true;
    }
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? page : normalize(join(dirname(page), path));
    return (
        existsSync(join(REPOSITORY, file)) &&
        (anchor === undefined || anchorsOf(file).includes(anchor))
    );
}
