import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** A Chromium of this machine: `CHROMIUM_PATH`, or the first on the path; undefined without one. */
export function findChromium(): string | undefined {
    const folders = (process.env["PATH"] ?? "").split(delimiter);
    const found = names.flatMap((name) => folders.map((folder) => join(folder, name)));
    return [process.env["CHROMIUM_PATH"] ?? "", ...found].find((file) => existsSync(file));
}
