import { type FaultKind, faultKinds } from "excloud-local/faults";

import { type Cell, phases } from "./cell";

/** The matrix in Markdown: what is tried, in numbers of cells. */
export function tablesOf(cells: readonly Cell[]): string {
    const count = (isIt: (cell: Cell) => boolean) => String(cells.filter(isIt).length || "");
    const operations = [...new Set(cells.map(({ operation }) => operation))].sort();
    const kinds = Object.keys(faultKinds) as FaultKind[];
    return [
        ...table(
            ["operation", ...phases],
            operations.map((operation) => [
                `\`${operation}\``,
                ...phases.map((phase) =>
                    count((cell) => cell.operation === operation && cell.phase === phase),
                ),
            ]),
        ),
        "",
        ...table(
            ["fault", "what the caller sees", "carried out", "cells"],
            kinds.map((kind) => [
                `\`${kind}\``,
                faultKinds[kind].description,
                faultKinds[kind].effect === "done" ? "yes" : "no",
                count((cell) => cell.kind === kind),
            ]),
        ),
        "",
        `${cells.length} cells.`,
    ].join("\n");
}

/** Rows of a table, padded as the formatter does. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
    const widths = head.map((title, column) =>
        Math.max(title.length, 3, ...rows.map((row) => (row[column] ?? "").length)),
    );
    const line = (cells: readonly string[]) =>
        `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
    return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}
