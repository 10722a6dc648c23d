import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { setArguments } from "../../../tools/playground/playground";
import { type Bench, openBench } from "../cluster/harness";
import { type Change, changes, creation } from "./changes";
import { excerptOf, refusalOf } from "./excerpt";
import { takePictures } from "./picture";

// docs/previews.md is what the engine prints today. `UPDATE_GOLDEN=1` writes it anew, `UPDATE_PICTURES=1` the README's
// pictures of the end of an `up`.

const page = join(__dirname, "../../../docs/previews.md");
const introduction = `# What a preview shows

Printed by the real engine, for a cluster of three control planes made by the [quickstart](../examples/quickstart). Left out are, of a \`--diff\`, the properties that do not change; ids and digests are others in each cluster.`;

let bench: Bench;
beforeAll(async () => {
    bench = await openBench();
});
afterAll(() => bench?.close());

/** Previews a change, and takes its arguments back. */
async function sectionOf(change: Change): Promise<string> {
    const { title, about, program, settings = [], behind, flags = [], isRefused } = change;
    const before = readFileSync(bench.folder.configFile);
    await setArguments(bench.stack, settings);
    await behind?.(bench);
    const { code, stdout } = await bench.stack.capture(["preview", ...flags]);
    writeFileSync(bench.folder.configFile, before);
    expect([title, code]).toEqual([title, isRefused ? 1 : 0]);
    const excerpt = isRefused ? refusalOf(stdout) : excerptOf(stdout, flags.includes("--diff"));
    return [
        `## ${title}`,
        about,
        ...(program === undefined ? [] : [fenced("ts", [program])]),
        fenced("console", [`$ pulumi ${["preview", ...flags].join(" ")}`, ...excerpt]),
    ].join("\n\n");
}

const fenced = (language: string, lines: readonly string[]): string =>
    [`\`\`\`${language}`, ...lines, "```"].join("\n");

test("docs/previews.md shows what the engine prints", async () => {
    const first = await sectionOf(creation);
    const flags = ["--yes", "--skip-preview", "--suppress-outputs", "--color", "always"];
    const printed = await bench.pulumi(["up", ...flags]);
    const end = printed.slice(printed.indexOf("Diagnostics:")).trimEnd();
    expect(end).toContain("cp-1  ready");
    if (process.env["UPDATE_PICTURES"]) {
        await takePictures(`$ pulumi up --yes --suppress-outputs\n...\n${end}`);
    }
    const sections: string[] = [];
    for (const change of changes) {
        sections.push(await sectionOf(change));
    }
    // The longest goes last.
    const text = [introduction, ...sections, first].join("\n\n") + "\n";
    if (process.env["UPDATE_GOLDEN"] === "1") {
        writeFileSync(page, text);
    }
    expect(readFileSync(page, "utf8")).toBe(text);
});
