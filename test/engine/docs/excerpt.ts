// What Pulumi prints of a preview, without what differs from run to run and, of a `--diff`, without what
// does not change.

/** Ids and digests, and what stands for them. */
const fixed: readonly (readonly [RegExp, string])[] = [
    [/\bexk8s-5-[0-9a-f]{10}\b/g, "exk8s-5-2f7c10a9d4"],
    [/\b[0-9a-f]{64}\b/g, "<sha256>"],
    [/\b\d{9,13}\b/g, "203912456148"],
];

/** Lines that tell nothing. */
const noise = /^\s*$|^@ previewing|^\s*\[id=|\(hidden\)$|pulumi:pulumi:Stack/;

/** Without `--diff`: a resource that is looked at, or has not changed. */
const unchanged = /^ {4}|refreshing$|refresh$/;

/** What a refused preview says. Which node it names, and what it had looked at before, differs. */
export function refusalOf(output: string): string[] {
    const from = output.indexOf("Diagnostics:");
    const text = output.slice(from, output.indexOf("Resources:", from)).replace(/cp-\d/g, "cp-1");
    return text.trim().split("\n");
}

/** The lines of a preview as the page shows them. */
export function excerptOf(output: string, isDiff: boolean): string[] {
    const text = fixed.reduce((all, [pattern, stands]) => all.replace(pattern, stands), output);
    const lines = text
        .split("\n")
        .filter((line) => !noise.test(line))
        .map((line) => line.trimEnd());
    const end = lines.findIndex((line) => /^(Outputs|Resources|Diagnostics):/.test(line));
    const [first = "", ...resources] = lines.slice(0, end);
    const blocks = isDiff
        ? blocksOf(resources).map(changesOf)
        : resources.filter((line) => !unchanged.test(line)).map((line) => [line]);
    // The engine prints resources as they come.
    const inOrder = blocks.sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
    return [first, ...inOrder.flat(), ...lines.slice(end)];
}

/** A `--diff` prints each resource as a header, its URN and its properties. */
function blocksOf(lines: readonly string[]): string[][] {
    const starts = lines.flatMap((line, index) => (/^\s+\[urn=/.test(line) ? [index - 1] : []));
    return starts.map((start, index) => lines.slice(start, starts[index + 1]));
}

/** Type and name of a resource. */
const keyOf = (block: readonly string[]): string =>
    block
        .slice(0, 2)
        .join()
        .replace(/^[\s~+-]+/, "");

/** The changed lines of a resource; of a changed text also the lines around the change. */
function changesOf([header = "", urn = "", ...properties]: readonly string[]): string[] {
    const kept: string[] = [];
    /** Of each map that is open, whether it is shown. */
    const open: boolean[] = [];
    let isText = false;
    for (const line of properties) {
        const isEdge = line.trim() === "...";
        const isEnd = !isText && /^[\s~+-]*[}\]]$/.test(line);
        const isShown = isText || isEdge || (isEnd ? open.pop() === true : /^\s*[~+-] /.test(line));
        if (isShown) {
            kept.push(line);
        }
        if (isEdge) {
            isText = !isText;
        }
        if (!isText && /[{[]$/.test(line)) {
            open.push(isShown);
        }
    }
    return [header, urn.replace(/urn=.*::/, "urn=...::"), ...kept];
}
