import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { repository } from "./repository.mjs";

const PAGE = "docs/reliability.md";
const [BEGIN, END] = ["<!-- stories -->", "<!-- end of stories -->"];

/** Writes what became of the stories into the page on reliability, with the commit and the date. */
export function writeStories({ testResults }) {
    const stories = testResults.filter(({ name }) => name.includes("/test/stories/"));
    const rows = stories
        .sort((one, other) => one.name.localeCompare(other.name))
        .map(({ name, startTime, endTime, assertionResults }) => {
            const file = path.basename(name);
            const passed = assertionResults.filter(({ status }) => status === "passed").length;
            const minutes = ((endTime - startTime) / 60_000).toFixed(1);
            const link = `[${file.replace(".test.ts", "")}](../test/stories/${file})`;
            return `| ${link} | ${passed} of ${assertionResults.length} | ${minutes} |`;
        });
    const hash = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
        cwd: repository("."),
        encoding: "utf8",
    }).trim();
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
}
