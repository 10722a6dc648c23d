import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Environment, FileSystemLoader } from "nunjucks";

/** Same depth from `src/page` and from `dist/page`. */
const folder = join(__dirname, "..", "..", "page");

// Everything shown may be hostile, a node's log first of all: escaped unless a template says
// otherwise, and none does.
const engine = new Environment(new FileSystemLoader(folder), {
    autoescape: true,
    throwOnUndefined: true,
    trimBlocks: true,
    lstripBlocks: true,
});

/** The HTML of a template of `page/`. */
export function renderPage(template: "overview" | "login" | "error", values: object): string {
    return engine.render(`${template}.njk`, values);
}

/** Files that browsers fetch beside the page, by their path. */
export const assets = [
    { path: "/page/style.css", type: "text/css; charset=utf-8", file: "style.css" },
    { path: "/page/refresh.js", type: "text/javascript; charset=utf-8", file: "refresh.js" },
    { path: "/page/icon.svg", type: "image/svg+xml", file: "icon.svg" },
].map(({ file, ...asset }) => ({ ...asset, content: readFileSync(join(folder, file)) }));
