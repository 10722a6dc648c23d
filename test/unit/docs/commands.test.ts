import { existsSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@jest/globals";

import { REPOSITORY } from "../../../tools/engine/repository";
import { commandsOf, pages } from "../../support/docs/markdown";
import { notRun, runBy, runOnTheCluster, tutorial } from "../../support/docs/uses";

// Every command that the documentation shows is run by a test, or listed with the reason why not.

const shown = new Set(pages().flatMap(commandsOf));
const listed = [
    ...runOnTheCluster,
    ...Object.values(runBy).flat(),
    ...notRun.flatMap(({ commands }) => commands),
];

test("every command shown is run or listed", () => {
    const known = new Set([...commandsOf(tutorial), ...listed]);
    expect([...shown].filter((command) => !known.has(command))).toEqual([]);
});

test("every command listed is shown, once", () => {
    expect(listed.filter((command) => !shown.has(command))).toEqual([]);
    expect(listed).toEqual([...new Set(listed)]);
});

test.each([...Object.keys(runBy), ...notRun.map(({ coveredBy }) => coveredBy)])(
    "%s is there",
    (path) => expect(existsSync(join(REPOSITORY, path))).toBe(true),
);
