import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "@jest/globals";

/**
 * Compares a text with the file of that name in `golden/`, which both stores share. With
 * UPDATE_GOLDEN set the file is written, and the test fails so that the switch is never left on.
 */
export async function expectGolden(name: string, text: string): Promise<void> {
    const file = join(__dirname, "..", "golden", `${name}.txt`);
    if (process.env["UPDATE_GOLDEN"]) {
        await writeFile(file, `${text}\n`);
        throw new Error(`${file} written: run again without UPDATE_GOLDEN`);
    }
    expect(`${text}\n`).toBe(await readFile(file, "utf8"));
}
