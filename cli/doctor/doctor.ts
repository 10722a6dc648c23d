import { styleText } from "node:util";

import type { Pulumi } from "../pulumi";
import { bootstrapChecks } from "./bootstrap";
import { type Check, type Finding, findingOf } from "./check";
import { excloudChecks } from "./excloud";
import { factsOf } from "./facts";
import { programs } from "./programs";
import { stackChecks } from "./stack";

const checks: readonly Check[] = [
    ...programs,
    ...stackChecks,
    ...excloudChecks,
    ...bootstrapChecks,
];

const width = Math.max(...checks.map(({ name }) => name.length));

/**
 * Checks all that a cluster needs of this machine, the stack, Excloud and the bootstrap server. Changes
 * nothing. All checks are made, whatever fails.
 *
 * @returns whether nothing failed
 */
export async function doctor(
    pulumi: Pulumi,
    folder: string,
    say: (line: string) => void,
    { json = false }: { readonly json?: boolean } = {},
): Promise<boolean> {
    const facts = factsOf(pulumi, folder);
    const findings = await Promise.all(
        checks.map(async (check) => ({ name: check.name, ...(await findingOf(check, facts)) })),
    );
    say(
        json
            ? JSON.stringify(findings, undefined, 2)
            : findings.map(({ name, ...finding }) => linesOf(name, finding)).join("\n"),
    );
    return findings.every(({ level }) => level !== "fail");
}

const colours = { ok: "green", warn: "yellow", fail: "red" } as const;

function linesOf(name: string, { level, seen, next }: Finding): string {
    const text = next === undefined ? seen : `${seen}\nNext: ${next}`;
    const indented = text.replaceAll("\n", `\n${" ".repeat(width + 8)}`);
    return `${styleText(colours[level], level.padEnd(4))}  ${name.padEnd(width)}  ${indented}`;
}
