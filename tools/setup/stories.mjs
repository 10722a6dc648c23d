import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { repository } from "./repository.mjs";
import { commit } from "./turns.mjs";

const PAGE = "docs/reliability.md";
const [BEGIN, END] = ["<!-- stories -->", "<!-- end of stories -->"];

/** Writes what became of the stories into the page on reliability, with the commit and the date. */
export function writeStories({ testResults }) {
    const stories = testResults.filter(({ name }) => name.includes("/test/stories/"));
    if (stories.length === 0) {
        return; // jest ended before it wrote anything: the last result stays
    }
    const rows = stories
        .sort((one, other) => one.name.localeCompare(other.name))
        .map(({ name, startTime, endTime, assertionResults }) => {
            const file = path.basename(name);
            const passed = assertionResults.filter(({ status }) => status === "passed").length;
            const count = assertionResults.length;
            const result = count === 0 ? "did not load" : `${passed} of ${count}`;
            const minutes = ((endTime - startTime) / 60_000).toFixed(1);
            const link = `[${file.replace(".test.ts", "")}](../test/stories/${file})`;
            return `| ${link} | ${result} | ${minutes} |`;
        });
    const hash = commit().slice(0, 7) || "unknown";
    const text = [
        BEGIN,
        "",
        `On commit ${hash}, ${new Date().toISOString().slice(0, 10)}:`,
        "",
        "| story | tests passed | minutes |",
        "| --- | --- | --- |",
        ...rows,
        "",
        END,
    ].join("\n");
    const page = readFileSync(repository(PAGE), "utf8");
    const [before, rest] = page.split(BEGIN);
    writeFileSync(repository(PAGE), before + text + rest.split(END)[1]);
    execFileSync(process.execPath, [
        repository("node_modules/prettier/bin/prettier.cjs"),
        ...["--write", "--log-level", "warn", repository(PAGE)],
    ]);
}
